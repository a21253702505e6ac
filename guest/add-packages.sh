#!/usr/bin/env bash
# Adds packages to a VM that exists, and brings all others up to date with them: Arch does not support partial upgrades.
#
# usage: add-packages.sh start NAME...   from the host: begins and returns, with `begun`, `busy` or `nothing` (to be done)
#        add-packages.sh run NAME...     what `start` begins, as a unit of its own: an upgrade may restart the guest agent
#        add-packages.sh ended           by the unit, however it ended
#
# How far it is stands in /run/vms/packages, in one line: `running DONE TOTAL TEXT`, `ok` or `failed REASON`.
#
# Assumes: root in the installed system, in /usr/lib/vms beside the scripts that it sources. VMS_ROOT is for tests only.

set -euo pipefail
shopt -s inherit_errexit

cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
source ./lib.sh
guard_errors
# The mirror list that the guest has now is what counts.
# shellcheck disable=SC2034 # used by network.sh
VMS_MIRROR=""
source ./network.sh
source ./packages.sh

readonly UNIT=vms-packages.service STATE=${VMS_ROOT:-}/run/vms/packages
readonly LOG=$STATE.log SELF=$VMS_PAYLOAD/add-packages.sh

tell() {
  printf '%s\n' "$*" >"$STATE"
}

start() {
  case $(systemctl is-active "$UNIT" || true) in
    active | activating | deactivating | reloading)
      say busy
      return
      ;;
  esac
  if pacman -T -- "$@" >/dev/null 2>&1; then
    say nothing
    return
  fi
  mkdir -p "${STATE%/*}"
  tell "running 0 0 starting"
  systemd-run --quiet --collect --unit="$UNIT" --description="Add packages that the host asked for" \
    --property="ExecStopPost=$SELF ended" "$SELF" run "$@" >&2 || die "the installation cannot be started"
  say begun
}

# The log is opened here: one that the unit has would be emptied again before `ended` reads it.
run() {
  exec >"$LOG" 2>&1
  wait_for_route
  wait_for_mirror
  refuse_unknown "$@"
  log_pacman pacman --noconfirm --needed -Syu -- "$@" || die "$(explain_pacman "$PACMAN_LOG")"
}

# In databases of their own: new ones in the system's place without the upgrade would make the next `pacman -S` a partial one.
refuse_unknown() {
  local databases=${STATE%/*}/databases
  rm -rf -- "$databases"
  mkdir -m 755 -- "$databases"
  ln -s -- "$(pacman-conf DBPath)/local" "$databases/local"
  local pacman=(pacman --dbpath "$databases" --logfile /dev/null --noconfirm)
  log_pacman "${pacman[@]}" -Sy || die "$(explain_pacman "$PACMAN_LOG")"
  "${pacman[@]}" -Sp --print-format %n -- "$@" >"$PACMAN_LOG" 2>&1 || die "$(explain_pacman "$PACMAN_LOG")"
  rm -rf -- "$databases"
}

# Shown by the host; the lines of pacman itself are in the log.
progress() {
  tell "running $*"
}

ended() {
  local reason
  if [[ ${SERVICE_RESULT:-} == success ]]; then
    tell ok
    return
  fi
  # Where it was killed at once there is no log.
  reason=$(sed -n 's/^error: //p' "$LOG" 2>/dev/null | tail -n 1) || reason=""
  tell "failed ${reason:-it was ended by the system: ${SERVICE_RESULT:-unknown}; see journalctl -u $UNIT}"
}

case ${1:-} in
  start) start "${@:2}" ;;
  run) run "${@:2}" ;;
  ended) ended ;;
  *) die "usage: add-packages.sh start|run|ended" ;;
esac
