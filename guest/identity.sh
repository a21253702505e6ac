#!/usr/bin/env bash
# Makes this system the machine that the host says it is, and grows its root file system to the disk's size.
#
# usage: identity.sh boot     at every boot, by vms-identity.service: all that follows
#        identity.sh grow     only the root file system; may be called at any time, as often as one likes
#
# The machine is known by its UUID (the domain's). Where that is the one recorded in /var/lib/vms/instance, the system is at
# home and nothing is done but growing. Else it is new here, as the first VM of an image or as a clone: it gets SSH host keys
# of its own, and takes host name, user, keys, time zone, locale, keymap and sudo from the credentials that the host handed
# over in SMBIOS, if they are meant for this UUID. The machine-id was renewed before, by /usr/lib/vms/init.
#
# A setting that cannot be taken is told, and tried again at the next boot; the others are taken all the same. The outcome
# is one line in /run/vms/identity: `ok UUID` or `failed UUID: reason; reason`.
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
  take_settings "$uuid" hostname
  attempt "ssh host keys" renew_host_keys
  take_settings "$uuid" timezone locale keymap user authorized_keys
  # The record is the last thing written: a machine that lost power before starts over.
  sync
  attempt "record" record_instance "$uuid"
}

# take_settings UUID NAME...: what the host says, if it means this machine. A disk that somebody else started keeps what it has.
take_settings() {
  local uuid=$1 meant name
  shift
  if ! has_credential instance; then return; fi
  meant=$(read_credential instance) || meant=""
  if [[ ${meant,,} != "$uuid" ]]; then
    [[ ${REASONS[*]} == *vms.instance:* ]] || attempt "vms.instance" refuse "the identity is for the machine \"$meant\", not for this one"
    return
  fi
  for name in "$@"; do
    if has_credential "$name"; then attempt "vms.$name" take "$name"; fi
  done
}

take() {
  local value
  value=$(read_credential "$1")
  "set_$1" "$value"
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
    elif [[ -e $RECORDS/failed ]]; then
      take_settings "$uuid" hostname timezone locale keymap user authorized_keys
    fi
  fi
  attempt "root file system" grow_root
  tell "${uuid:-unknown}"
  ((${#REASONS[@]} == 0))
}

mkdir -p "$RUNTIME" "$RECORDS"
exec 9>"$RUNTIME/lock"
flock --timeout 120 9 || {
  printf 'error: another identity.sh is still running\n' >&2
  exit 1
}
case ${1:-} in
  boot) boot ;;
  grow) grow_root ;;
  *)
    printf 'usage: identity.sh boot|grow\n' >&2
    exit 2
    ;;
esac
