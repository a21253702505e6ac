#!/usr/bin/env bash
# `npm test`: sets up all that the tests need, then runs the unit, contract and end-to-end tests, in this order.
#
#   npm test                        all of them
#   npm test -- unit contract       these only
#   npm test -- e2e -g "pattern"    what follows the names goes to mocha
#   npm test -- faults              what takes an install each time, kills behind each of its steps among it: hours, so only where it is named
#
# Assumes root on Debian or Arch: the end-to-end tests make this host ready for VMs, and make VMs. It ends with the line
# `N passed, N failed, N skipped` and fails where a test failed, where none ran, or where something hung.
set -euo pipefail

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/setup.sh
source tools/setup.sh

all_kinds=(unit contract e2e faults)
usual_kinds=(unit contract e2e)
# A kind of test that takes longer than this, in seconds, hangs.
declare -A limits=([unit]=600 [contract]=1200 [e2e]=3900 [faults]=28800)
passed=0 failed=0 skipped=0

read_arguments() {
  kinds=() mocha_arguments=()
  while (($#)); do
    case $1 in
      unit | contract | e2e | faults) kinds+=("$1") ;;
      -*)
        mocha_arguments=("$@")
        break
        ;;
      *) die "there are no tests \"$1\": name unit, contract, e2e or faults, and then what is for mocha, such as -g pattern" ;;
    esac
    shift
  done
  ((${#kinds[@]})) || kinds=("${usual_kinds[@]}")
}

wants() { [[ " ${kinds[*]} " == *" $1 "* ]]; }

stage() { say "== $* ($((SECONDS / 60)) min $((SECONDS % 60)) s)"; }

# What the tests call besides what `vms bootstrap` installs: the qemu tools and libvirt's own fake hypervisor need no root.
install_test_programs() {
  local program missing=()
  for program in qemu-img virsh bsdtar xorriso; do command -v "$program" >/dev/null || missing+=("$program"); done
  ((${#missing[@]})) || return 0
  stage "Installing ${missing[*]}"
  ((EUID == 0)) || die "the tests need ${missing[*]}: run npm test as root, or install them"
  if command -v apt-get >/dev/null; then
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      qemu-utils libvirt-clients libarchive-tools xorriso; } >&2
  elif command -v pacman >/dev/null; then
    pacman -S --needed --noconfirm qemu-img libvirt libarchive libisoburn >&2
  else
    die "the tests need ${missing[*]}, and this host has neither apt-get nor pacman to install them with"
  fi
}

set_up() {
  stage "Setting up the checkout"
  set_up_checkout
  install_test_programs
  wants contract || wants e2e || wants faults || return 0
  ((EUID == 0)) || die "the ${kinds[*]} tests make this host ready for VMs: run them as root"
  stage "Making this host ready: vms bootstrap"
  node dist/cli/main.js bootstrap >&2
  wants e2e || wants faults || return 0
  local cli stand_in
  if wants e2e; then
    stage "The pulumi CLI"
    cli=$(tools/pulumi-cli/ensure.sh)
    export PATH=$cli:$PATH
  fi
  stage "The stand-in for Arch"
  stand_in=$(test/stand-in/build.sh)
  export VMS_TEST_STAND_IN=$stand_in
}

# run_kind KIND: mocha over one kind of test; its counts are added up whatever its status.
run_kind() {
  local files=() report=.vms/test-$1.counts status=0
  mapfile -t files < <(find "dist/test/$1" -name '*.test.js' 2>/dev/null | sort)
  ((${#files[@]})) || return 0
  stage "$1 tests"
  mkdir -p .vms
  rm -f "$report"
  # Killed a while after it was asked to end: a test that hangs must not keep the others from being counted.
  timeout --kill-after=30 "${limits[$1]}" node node_modules/mocha/bin/mocha.js --exit \
    --reporter tools/mocha-reporter.cjs --reporter-option "file=$report" "${mocha_arguments[@]}" "${files[@]}" || status=$?
  add_counts "$1" "$report" "$status"
}

add_counts() {
  local kind=$1 report=$2 status=$3 counts=(0 0 0 lost)
  if [[ -f $report ]]; then read -r -a counts <"$report"; fi
  passed=$((passed + counts[0])) failed=$((failed + counts[1])) skipped=$((skipped + counts[2]))
  if [[ ${counts[3]} != "done" ]]; then
    say "The $kind tests did not come to their end (status $status, limit ${limits[$kind]} s)"
    failed=$((failed + 1))
  elif ((status != 0 && counts[1] == 0)); then
    say "The $kind tests ended with status $status, and no test says why"
    failed=$((failed + 1))
  fi
}

read_arguments "$@"
set_up
for kind in "${all_kinds[@]}"; do
  if wants "$kind"; then run_kind "$kind"; fi
done
stage "Done"
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
((failed == 0 && passed > 0))
