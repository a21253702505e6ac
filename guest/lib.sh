# shellcheck shell=bash
# What every script of the install shares: errors, progress, bounded waits, the recipe.
#
# Assumes: bash 5, `set -euo pipefail` in the script that sources it, and the payload unpacked around this file.
# A script that is started by another one (a profile) inherits VMS_ERROR_FILE, so that the first failure is the one told.

VMS_PAYLOAD=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
export VMS_PAYLOAD

# Messages of pacman and others are matched, so their language is fixed.
export LC_ALL=C

# Ends the script. The message is printed last, as `error: MESSAGE`, also when this runs in a subshell.
die() {
  printf '%s\n' "${*//[[:cntrl:]]/ }" >>"${VMS_ERROR_FILE:?guard_errors was not called}"
  exit 1
}

say() {
  printf '%s\n' "$*"
}

# progress DONE TOTAL TEXT: shown by the host as the progress of the step that runs.
progress() {
  printf '@vms progress %d %d %s\n' "$1" "$2" "$3"
}

# Called once by each script: from here on every failure ends in one line `error: ...`, the last on stderr.
guard_errors() {
  if [[ -z ${VMS_ERROR_FILE:-} ]]; then
    VMS_ERROR_FILE=$(mktemp)
    export VMS_ERROR_FILE
    trap 'tell_error $?' EXIT
  fi
  set -E
  trap 'note_failure $? "${BASH_SOURCE[0]:-}" "$LINENO" "$BASH_COMMAND"' ERR
}

# The failure of a command that nobody explained: said only where nothing was said before.
note_failure() {
  local status=$1 file=${2##*/} line=$3 command=$4
  [[ -s $VMS_ERROR_FILE ]] || printf '%s\n' "\"$command\" ended with status $status ($file, line $line)" >"$VMS_ERROR_FILE"
}

tell_error() {
  local status=$1 reason
  reason=$(head -n 1 -- "$VMS_ERROR_FILE")
  rm -f -- "$VMS_ERROR_FILE"
  [[ $status -eq 0 ]] || printf 'error: %s\n' "${reason:-the script ended with status $status}" >&2
}

# wait_until SECONDS COMMAND...: polls until the command succeeds; fails when the time is up.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 1
  done
}

# patience KVM TCG: the seconds to wait at most, by whether the processor is real or emulated. Less than the host's limit for
# the step, so that it is this script that tells what was missing.
patience() {
  if [[ $(systemd-detect-virt) == kvm ]]; then printf '%s' "$1"; else printf '%s' "$2"; fi
}

# Takes VMS_MIRROR, VMS_PROFILES, VMS_PACKAGES and VMS_RECIPE from the payload, and refuses what cannot be used.
load_recipe() {
  [[ -r $VMS_PAYLOAD/recipe.conf ]] || die "the payload has no recipe.conf: the host must write it beside the scripts"
  # shellcheck source=/dev/null
  source "$VMS_PAYLOAD/recipe.conf"
  VMS_MIRROR=${VMS_MIRROR:-}
  read -ra PROFILES <<<"${VMS_PROFILES:-minimal}"
  local profile package
  for profile in "${PROFILES[@]}"; do
    [[ $profile =~ ^[a-z][a-z0-9-]*$ && -r $(profile_script "$profile") ]] ||
      die "there is no profile \"$profile\": choose one of $(list_profiles)"
  done
  [[ $VMS_MIRROR != *[[:space:][:cntrl:]]* ]] || die "the mirror \"$VMS_MIRROR\" holds a space or a line break"
  read -ra EXTRA_PACKAGES <<<"${VMS_PACKAGES:-}"
  for package in "${EXTRA_PACKAGES[@]}"; do
    [[ $package =~ ^[A-Za-z0-9@_+][A-Za-z0-9@._+-]*$ ]] || die "\"$package\" cannot be the name of a package: correct \"packages\""
  done
  export VMS_MIRROR VMS_PACKAGES VMS_RECIPE
}

# The path of a profile's script; `own-profile` is the one that a user brought.
profile_script() {
  if [[ $1 == own-profile ]]; then
    printf '%s' "$VMS_PAYLOAD/own-profile"
  else
    printf '%s' "$VMS_PAYLOAD/profiles/$1.sh"
  fi
}

list_profiles() {
  local file names=()
  for file in "$VMS_PAYLOAD"/profiles/*.sh; do names+=("$(basename -- "$file" .sh)"); done
  printf '%s' "${names[*]}"
}

# run_step STEP NAME...: runs the function step_STEP where STEP is one of the names.
run_step() {
  local step=$1 name
  shift
  for name in "$@"; do
    if [[ $name == "$step" ]]; then
      "step_$step"
      return
    fi
  done
  die "there is no step \"$step\": the steps are $*"
}
