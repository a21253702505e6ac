#!/bin/bash
# Makes all packages of the plan, as many at a time as there are cores; an extended build links those it has already.
set -euo pipefail
# shellcheck source=test/stand-in/lib/common.sh
source "$here/lib/common.sh"

data_lines "$here/data/exclude.list" >"$work/exclude"
cp "$work/plan" "$work/todo"
if [[ $base ]]; then
  # Same name, repository, version, dependencies and files: the same package.
  grep -Fxv -f "$base/.private/plan" "$work/plan" >"$work/todo" || :
  mkdir -p "$work/result"
  cp -al "$base/repo" "$work/result/repo"
  cp -a "$base/.private/entries" "$work/entries"
  find "$work/result/repo" \( -name '*.db*' -o -name '*.files*' \) -delete
  # A package that came out differently replaces the plain build's.
  while IFS=$'\t' read -r name repository _; do
    find "$work/entries/$repository" -maxdepth 1 -name "$name-*" -printf '%f\n' 2>/dev/null |
      while read -r entry; do
        [[ ${entry%-*-*} == "$name" ]] || continue
        rm -rf "${work:?}/entries/$repository/$entry" "$work/result/repo/$repository/os/x86_64/$entry"-*
      done
  done <"$work/todo"
fi
echo "$(wc -l <"$work/todo") of $(wc -l <"$work/plan") packages to make"
xargs -d '\n' -P "$(nproc)" -n 1 "$here/lib/pack.sh" <"$work/todo"
