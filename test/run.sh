#!/usr/bin/env bash
# `npm test`: sets up all that the tests need, then runs them, a kind after the other: unit; e2e, with contract and then stacks
# beside it; host.
#
#   npm test                        all of them
#   npm test -- unit contract       these only
#   npm test -- e2e -g "pattern"    what follows the names goes to mocha
#   npm test -- profiles            every profile on its display, and one's own: half an hour, so only where it is named
#   npm test -- faults              what takes an install each time, kills behind each of its steps among it: hours, so only where it is named
#
# Assumes root on Debian or Arch: most of the tests make this host ready for VMs, and make VMs. It ends with the line
# `N passed, N failed, N skipped` and fails where a test failed, where none ran, or where something hung.
set -euo pipefail

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/setup.sh
source tools/setup.sh

usual_kinds=(unit contract stacks e2e host)
# A kind of test that takes longer than this, in seconds, hangs.
declare -A limits=([unit]=600 [contract]=3600 [stacks]=2400 [e2e]=4200 [host]=900 [profiles]=7200 [faults]=28800)
# Most of these wait for other programs most of the time: so many files at once. The others use one host, or one VM, for all.
declare -A jobs=([unit]=4 [contract]=4)
passed=0 failed=0 skipped=0

read_arguments() {
  kinds=() mocha_arguments=()
  while (($#)); do
    case $1 in
      unit | contract | stacks | e2e | host | profiles | faults) kinds+=("$1") ;;
      -*)
        mocha_arguments=("$@")
        break
        ;;
      *) die "there are no tests \"$1\": name unit, contract, stacks, e2e, host, profiles or faults, and then what is for mocha, such as -g pattern" ;;
    esac
    shift
  done
  ((${#kinds[@]})) || kinds=("${usual_kinds[@]}")
}

wants() { [[ " ${kinds[*]} " == *" $1 "* ]]; }

stage() { say "== $* ($((SECONDS / 60)) min $((SECONDS % 60)) s)"; }

# What the tests call besides what `vms bootstrap` installs: the qemu tools and libvirt's own fake hypervisor need no root.
install_test_programs() {
  local program programs=(qemu-img virsh bsdtar xorriso) debian=() arch=() missing=()
  debian=(qemu-utils libvirt-clients libarchive-tools xorriso) arch=(qemu-img libvirt libarchive libisoburn)
  if wants profiles; then
    # A viewer on a screen that is only in memory, and hands for it.
    programs+=(remote-viewer Xvfb xdotool xclip)
    debian+=(virt-viewer xvfb xdotool xclip) arch+=(virt-viewer xorg-server-xvfb xdotool xclip)
  fi
  for program in "${programs[@]}"; do command -v "$program" >/dev/null || missing+=("$program"); done
  ((${#missing[@]})) || return 0
  stage "Installing ${missing[*]}"
  ((EUID == 0)) || die "the tests need ${missing[*]}: run npm test as root, or install them"
  if command -v apt-get >/dev/null; then
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      "${debian[@]}"; } >&2
  elif command -v pacman >/dev/null; then
    pacman -S --needed --noconfirm "${arch[@]}" >&2
  else
    die "the tests need ${missing[*]}, and this host has neither apt-get nor pacman to install them with"
  fi
}

set_up() {
  stage "Setting up the checkout"
  set_up_checkout
  install_test_programs
  [[ ${kinds[*]} == unit ]] && return
  ((EUID == 0)) || die "the ${kinds[*]} tests make this host ready for VMs: run them as root"
  stage "Making this host ready: vms bootstrap"
  node dist/cli/main.js bootstrap >&2
  local cli stand_in groups=base
  if wants stacks || wants e2e || wants host || wants profiles || wants faults; then
    stage "The pulumi CLI"
    cli=$(tools/pulumi-cli/ensure.sh)
    export PATH=$cli:$PATH
  fi
  if wants stacks || wants e2e || wants profiles || wants faults; then
    stage "The stand-in for Arch"
    if wants profiles; then groups=base,desktop,apps,dev; fi
    stand_in=$(test/stand-in/build.sh --groups "$groups")
    export VMS_TEST_STAND_IN=$stand_in
  fi
}

# run_kinds KIND...: those of them that are wanted, one after the other. Their counts are left in files.
run_kinds() {
  local kind
  for kind; do
    if wants "$kind"; then run_kind "$kind"; fi
  done
}

run_behind() {
  renice -n 10 -p "$BASHPID" >/dev/null
  run_kinds "$@"
}

run_kind() {
  local files=() status=0 options=(--exit --reporter tools/mocha-reporter.cjs --reporter-option "file=.vms/test-$1.counts")
  # What takes longest begins first: begun last, it would be left alone in the end.
  local longest=('(' -name 'kill-*.test.js' -o -name 'lifecycle-*.test.js' ')')
  mapfile -t files < <(
    find "dist/test/$1" "${longest[@]}" | sort
    find "dist/test/$1" -name '*.test.js' ! "${longest[@]}" | sort
  )
  if [[ $1 == faults ]]; then
    # Random sequences are one more thing of which a few are enough in `npm test`.
    files+=(dist/test/contract/lifecycle-property.test.js)
    export VMS_TEST_SEQUENCES=${VMS_TEST_SEQUENCES:-100}
  fi
  stage "$1 tests"
  if [[ -v jobs[$1] ]]; then options+=(--parallel --jobs "${jobs[$1]}"); fi
  # Killed a while after it was asked to end: a test that hangs must not keep the others from being counted. In the foreground,
  # so that Ctrl-C reaches it.
  timeout --foreground --kill-after=30 "${limits[$1]}" \
    node node_modules/mocha/bin/mocha.js "${options[@]}" "${mocha_arguments[@]}" "${files[@]}" || status=$?
  echo "$status" >".vms/test-$1.status"
}

# labelled LABEL COMMAND...: each line of what it prints under its label, as two print at once.
labelled() {
  local label=$1
  shift
  "$@" 2>&1 | sed -u "s/^/$label | /"
}

run_all() {
  mkdir -p .vms
  rm -f .vms/test-*.counts .vms/test-*.status
  run_kinds unit profiles faults
  # A guest seldom keeps both of two cores busy. The others come second, since what boots guests takes longest.
  labelled "contract, stacks" run_behind contract stacks &
  labelled "e2e" run_kinds e2e
  wait "$!"
  # What takes libvirtd away from all others.
  run_kinds host
}

add_counts() {
  local kind=$1 status counts=(0 0 0 lost)
  if [[ -f .vms/test-$kind.counts ]]; then read -r -a counts <".vms/test-$kind.counts"; fi
  status=$(cat ".vms/test-$kind.status" || echo lost)
  passed=$((passed + counts[0])) failed=$((failed + counts[1])) skipped=$((skipped + counts[2]))
  if [[ ${counts[3]} != "done" ]]; then
    say "The $kind tests did not come to their end (status $status, limit ${limits[$kind]} s)"
    failed=$((failed + 1))
  elif [[ $status != 0 ]] && ((counts[1] == 0)); then
    say "The $kind tests ended with status $status, and no test says why"
    failed=$((failed + 1))
  fi
}

read_arguments "$@"
set_up
run_all
for kind in "${kinds[@]}"; do add_counts "$kind"; done
# Once more where one looks first: what they printed is far above.
for kind in "${kinds[@]}"; do
  if [[ -f .vms/test-$kind.counts ]]; then tail -n +2 ".vms/test-$kind.counts" | sed "s/^/failed: $kind: /"; fi
done
stage "Done"
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
((failed == 0 && passed > 0))
