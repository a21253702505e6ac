#!/usr/bin/env bash
# Functions that make a checkout ready to run: the right Node, npm's packages, compiled sources. Sourced by `vms`, the test
# runner and the checks.
#
# Assumes that the caller has set -euo pipefail and is in the checkout, and is allowed to write in the checkout when something is to be made.
# What it does is said on stderr, a line a stage; nothing is said or done when all is fresh.

checkout=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }

die() {
  say "error: $*"
  exit 1
}

check_node() {
  local found
  command -v node >/dev/null || die "Node.js is not installed: vms needs Node.js 20.19 or later (https://nodejs.org/en/download)"
  found=$(node --version)
  [[ $found =~ ^v([0-9]+)\.([0-9]+)\. ]] || die "node --version says \"$found\": vms needs Node.js 20.19 or later"
  ((BASH_REMATCH[1] > 20 || (BASH_REMATCH[1] == 20 && BASH_REMATCH[2] >= 19))) ||
    die "Node.js $found is too old: vms needs 20.19 or later (https://nodejs.org/en/download)"
}

# What the installed packages depend on: the lock file, and the Node that they were installed with.
modules_key() {
  local node
  node=$(command -v node) || return 1
  {
    cat package-lock.json
    stat --dereference --format '%n %i %Y' "$node"
  } | sha256sum
}

modules_are_fresh() {
  [[ -f node_modules/.vms-modules ]] && [[ $(modules_key) == "$(<node_modules/.vms-modules)" ]]
}

# A directory is newer when a file was added to it or taken out of it.
build_is_fresh() {
  [[ -f dist/.vms-build ]] &&
    [[ -z $(find resources provider cli test tsconfig.json package.json package-lock.json \
      \( -name '*.ts' -o -name '*.json' -o -type d \) -newer dist/.vms-build -print -quit) ]]
}

install_modules() {
  check_node
  command -v npm >/dev/null || die "npm is not installed: install it (it comes with Node.js; on Debian: apt install npm; on Arch: pacman -S npm)"
  if ! node tools/check-modules.mjs; then
    say "Installing npm packages"
    npm ci --no-audit --no-fund --loglevel=error >&2 || die "npm ci failed; see above"
  fi
  modules_key >node_modules/.vms-modules
}

compile_sources() {
  say "Compiling"
  mkdir -p dist
  # As old as the start, so that what is edited meanwhile is compiled next time.
  touch dist/.vms-build-started
  node node_modules/typescript/bin/tsc -p tsconfig.json >&2 || die "the sources do not compile; see above"
  remove_stale_output
  mv dist/.vms-build-started dist/.vms-build
}

# The compiler leaves the output of a source that is gone; a test among it would still run.
remove_stale_output() {
  local output source
  while IFS= read -r output; do
    source=${output#dist/}
    [[ -f ${source%.js}.ts ]] || rm -f "$output" "$output.map" "${output%.js}.d.ts"
  done < <(find dist -name '*.js')
}

# Runs "$@" while no other launcher of this checkout does the same.
under_lock() {
  mkdir -p .vms || die "$checkout cannot be written to"
  exec 9>.vms/setup.lock
  flock 9
  "$@"
  exec 9>&-
}

# The state is looked at again under the lock: whoever held it before may have done the work.
refresh_modules() { modules_are_fresh || install_modules; }
refresh_build() { build_is_fresh || compile_sources; }

set_up_modules() { modules_are_fresh || under_lock refresh_modules; }

set_up_checkout() {
  set_up_modules
  build_is_fresh || under_lock refresh_build
}
