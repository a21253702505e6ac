#!/bin/bash
# Makes all packages of the plan, as many at a time as there are cores; an extended build links those it has already.
set -euo pipefail
# shellcheck source=/dev/null
source "$HERE/lib/common.sh"

data_lines "$HERE/data/exclude.list" >"$WORK/exclude"
cp "$WORK/plan" "$WORK/todo"
if [[ $BASE ]]; then
  # Same name, repository, version, dependencies and files: the same package.
  grep -Fxv -f "$BASE/.private/plan" "$WORK/plan" >"$WORK/todo" || :
  mkdir -p "$WORK/result"
  cp -al "$BASE/repo" "$WORK/result/repo"
  cp -a "$BASE/.private/entries" "$WORK/entries"
  find "$WORK/result/repo" \( -name '*.db*' -o -name '*.files*' \) -delete
  # A package that came out differently replaces the plain build's.
  while IFS=$'\t' read -r name repository _; do
    find "$WORK/entries/$repository" -maxdepth 1 -name "$name-*" -printf '%f\n' 2>/dev/null |
      while read -r entry; do
        [[ ${entry%-*-*} == "$name" ]] || continue
        rm -rf "${WORK:?}/entries/$repository/$entry" "$WORK/result/repo/$repository/os/x86_64/$entry"-*
      done
  done <"$WORK/todo"
fi
echo "$(wc -l <"$WORK/todo") of $(wc -l <"$WORK/plan") packages to make"
xargs -d '\n' -P "$(nproc)" -n 1 "$HERE/lib/pack.sh" <"$WORK/todo"
