#!/bin/bash
# The databases of the repositories, in the form repo-add writes: it takes minutes for what is one tar here.
set -euo pipefail
# shellcheck source=/dev/null
source "$HERE/lib/common.sh"

for repository in core extra; do
  entries=$WORK/entries/$repository
  target=$WORK/result/repo/$repository/os/x86_64
  mkdir -p "$entries" "$target"
  cd "$entries"
  find . -mindepth 1 \( -type d -o -name desc \) -printf '%P\n' | LC_ALL=C sort |
    bsdtar --uid 0 --gid 0 -czf "$target/$repository.db.tar.gz" -nT -
  find . -mindepth 1 -printf '%P\n' | LC_ALL=C sort |
    bsdtar --uid 0 --gid 0 -czf "$target/$repository.files.tar.gz" -nT -
  ln -s "$repository.db.tar.gz" "$target/$repository.db"
  ln -s "$repository.files.tar.gz" "$target/$repository.files"
done
