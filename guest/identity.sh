#!/usr/bin/env bash
# Makes this system the machine that the host says it is, grows its root file system to the disk's size, and mounts shares.
#
# usage: identity.sh boot     at every boot, by vms-identity.service: all that follows
#        identity.sh apply    while the machine runs: the settings that come on stdin, a line `vms.NAME=BASE64` for each
#        identity.sh grow     only the root file system; may be called at any time, as often as one likes
#
# The machine is known by its UUID (the domain's). Where that is the one recorded in /var/lib/vms/instance, the system is at
# home and nothing is done but growing. Else it is new here, as the first VM of an image or as a clone: it gets SSH host keys
# of its own, and takes host name, user, keys, time zone, locale, keymap and sudo from the credentials that the host handed
# over in SMBIOS, if they are meant for this UUID. The machine-id was renewed before, by /usr/lib/vms/init. At home it takes
# the settings that changed, where the host gave a new revision of them (traits/settings.sh).
#
# At a boot, a setting that cannot be taken is told, and tried again at the next one; the others are taken all the same. The
# outcome is one line in /run/vms/identity: `ok UUID` or `failed UUID: reason; reason`. `apply` takes all settings or none, and
# ends with `error: reason; reason` as its last line on stderr where one is refused.
#
# Assumes: root; file systems mounted, nothing of the network, ssh or a login started yet (boot). VMS_ROOT is a tree to work
# on instead of / and is for tests only, like VMS_CREDENTIALS.

set -euo pipefail
shopt -s inherit_errexit
export LC_ALL=C

LIBRARY=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
ROOT=${VMS_ROOT:-}
# shellcheck disable=SC2034 # used by traits/credentials.sh
CREDENTIALS=${VMS_CREDENTIALS:-$ROOT/run/credentials/@system}
RECORDS=$ROOT/var/lib/vms
# shellcheck disable=SC2034 # used by traits/settings.sh
TAKEN=$RECORDS/settings
RUNTIME=$ROOT/run/vms
REASONS=()

for part in "$LIBRARY"/traits/*.sh; do
  # shellcheck source=/dev/null
  source "$part"
done

# attempt WHAT COMMAND...: a failure is noted, with the last thing said on stderr as its reason, and the rest goes on.
attempt() {
  local what=$1 status reason
  shift
  set +e
  (
    set -e
    "$@"
  ) 2>"$RUNTIME/said"
  status=$?
  set -e
  cat "$RUNTIME/said" >&2
  [[ $status -eq 0 ]] && return
  reason=$(grep -v '^[[:space:]]*$' "$RUNTIME/said" | tail -n 1) || reason="status $status"
  REASONS+=("$what: ${reason//[[:cntrl:]]/ }")
}

refuse() {
  printf '%s\n' "$*" >&2
  return 1
}

# write_file PATH MODE: replaces the file by what comes on stdin, at once or not at all.
write_file() {
  local path=$1 mode=$2 new
  mkdir -p -- "${path%/*}"
  new=$(mktemp -- "${path%/*}/.${path##*/}.XXXXXX")
  if cat >"$new" && chmod "$mode" "$new" && mv -T -- "$new" "$path"; then return; fi
  rm -f -- "$new"
  return 1
}

read_uuid() {
  local uuid
  uuid=$(cat "$ROOT/sys/class/dmi/id/product_uuid" 2>/dev/null) || return 1
  printf '%s' "${uuid,,}"
}

# A machine that is new here gets its own of what no two machines may share, and the settings that are meant for it.
renew() {
  local uuid=$1
  attempt "machine-id" check_machine_id
  # The host keys bear the host name.
  if is_meant_for "$uuid"; then settle hostname; fi
  attempt "ssh host keys" renew_host_keys
  if is_meant_for "$uuid"; then
    settle timezone locale keymap user authorized_keys
    if took_all; then attempt "record" record_revision; fi
  fi
  # The record is the last thing written: a machine that lost power before starts over.
  sync
  attempt "record" record_instance "$uuid"
}

check_machine_id() {
  local now
  now=$(cat "$ROOT/etc/machine-id")
  [[ -n $now ]] || refuse "/etc/machine-id is empty"
  if [[ -e $RECORDS/machine-id && $now == "$(cat "$RECORDS/machine-id")" ]]; then
    refuse "it is still the one of another machine: is init=/usr/lib/vms/init on the kernel's command line?"
  fi
}

record_instance() {
  write_file "$RECORDS/machine-id" 0644 <"$ROOT/etc/machine-id"
  printf '%s\n' "$1" | write_file "$RECORDS/instance" 0644
}

# Failures are kept until they are gone, so that a boot in which nothing was tried does not say ok.
tell() {
  local uuid=$1 line="ok $1" reasons
  if ((${#REASONS[@]} > 0)); then
    printf -v reasons '%s; ' "${REASONS[@]}"
    line="failed $uuid: ${reasons%; }"
    printf '%s\n' "$line" | write_file "$RECORDS/failed" 0644
  else
    rm -f -- "$RECORDS/failed"
  fi
  printf '%s\n' "$line" | write_file "$RUNTIME/identity" 0644
  printf '%s\n' "vms identity: $line"
}

boot() {
  local uuid recorded=""
  uuid=$(read_uuid) || uuid=""
  if [[ -z $uuid ]]; then
    REASONS+=("this machine has no UUID in /sys/class/dmi/id/product_uuid")
  else
    if [[ -r $RECORDS/instance ]]; then recorded=$(cat "$RECORDS/instance"); fi
    if [[ $recorded != "$uuid" ]]; then
      renew "$uuid"
    elif has_news && is_meant_for "$uuid"; then
      settle_changed
      if took_all; then attempt "record" record_revision; fi
    fi
  fi
  attempt "root file system" grow_root
  attempt "vms.shares" mount_shares "$uuid"
  tell "${uuid:-unknown}"
  ((${#REASONS[@]} == 0))
}

# While the machine runs there is somebody to be told, so nothing is left half-done: where one setting is refused, those that
# were taken already are taken back.
apply() {
  local uuid refused reason text
  uuid=$(read_uuid) || refuse "error: this machine has no UUID"
  receive_settings "$RUNTIME/given"
  keep_taken "$RUNTIME/before"
  CREDENTIALS=$RUNTIME/given
  is_meant_for "$uuid" || refuse "error: the settings are not for this machine"
  settle_changed
  if took_all; then
    record_revision
    if ! has_other_failures; then tell "$uuid"; fi
    return
  fi
  refused=("${REASONS[@]}")
  REASONS=()
  # shellcheck disable=SC2034 # used by traits/settings.sh
  CREDENTIALS=$RUNTIME/before
  settle "${TOUCHED[@]}"
  for reason in "${REASONS[@]}"; do refused+=("and not taken back: $reason"); done
  printf -v text '%s; ' "${refused[@]}"
  refuse "error: ${text%; }"
}

mkdir -p "$RUNTIME" "$RECORDS"
exec 9>"$RUNTIME/lock"
flock --timeout 120 9 || {
  printf 'error: another identity.sh is still running\n' >&2
  exit 1
}
case ${1:-} in
  boot) boot ;;
  apply) apply ;;
  grow) grow_root ;;
  *)
    printf 'usage: identity.sh boot|apply|grow\n' >&2
    exit 2
    ;;
esac
