#!/usr/bin/env bash
# `npm run check`: form, types, import directions, unused code, bash and the package's shape. Runs every check, also after one
# failed, and names those that did at the end.
#
# Assumes a checkout with git. Installs shellcheck and shfmt where they are missing and this is root on Debian or Arch.
set -euo pipefail

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/setup.sh
source tools/setup.sh

failed=()

# check NAME COMMAND...
check() {
  local name=$1
  shift
  say "== $name"
  ("$@") || failed+=("$name")
}

install_shell_tools() {
  local tool missing=()
  for tool in shellcheck shfmt; do command -v "$tool" >/dev/null || missing+=("$tool"); done
  ((${#missing[@]})) || return 0
  say "Installing ${missing[*]}"
  if ((EUID == 0)) && command -v apt-get >/dev/null; then
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}"; } >&2
  elif ((EUID == 0)) && command -v pacman >/dev/null; then
    pacman -S --needed --noconfirm "${missing[@]}" >&2
  else
    die "${missing[*]} missing: install with apt-get install shellcheck shfmt, or pacman -S shellcheck shfmt"
  fi
}

# Every file with a shell's name in its first line, a script's or shellcheck's, tracked or about to be.
shell_files() {
  local file first
  while IFS= read -r -d '' file; do
    [[ -f $file ]] || continue
    IFS= read -r first <"$file" 2>/dev/null || true
    [[ $first =~ ^#(!.*[/\ ]|\ shellcheck\ shell=)(ba|da)?sh($|\ ) ]] && printf '%s\0' "$file"
  done < <(git ls-files -z --cached --others --exclude-standard)
  return 0
}

check_shell() {
  local files=()
  mapfile -d '' -t files < <(shell_files)
  ((${#files[@]})) || die "no bash was found to check"
  shellcheck -- "${files[@]}" && shfmt -i 2 -ci -d -- "${files[@]}"
}

check_package() {
  node_modules/.bin/publint --strict && npm pack --dry-run --json --ignore-scripts --loglevel=error | node tools/check-package.mjs
}

set_up_modules
install_shell_tools
# Everything is compiled anew, so that nothing is missed because of a time stamp.
check "types" compile_sources
check "types of the programs" node_modules/.bin/tsc -p tsconfig.programs.json
check "form" node_modules/.bin/prettier --check --log-level warn .
check "lint" node_modules/.bin/eslint .
check "import directions" node_modules/.bin/depcruise --config .dependency-cruiser.cjs cli provider resources test
check "unused code" node_modules/.bin/knip --no-config-hints
check "bash" check_shell
check "package" check_package

if ((${#failed[@]})); then
  printf -v list '%s, ' "${failed[@]}"
  die "npm run check failed: ${list%, }"
fi
say "All checks passed"
