#!/bin/bash
# Builds the stand-in for Arch: a package repository and an ISO, from the packages of the Debian this runs on.
# Assumes: root, Debian 12 or later on amd64, an apt that reaches a mirror, and mount namespaces.
# Progress goes to stderr; stdout carries one line, the finished directory.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=/dev/null
source "$HERE/lib/common.sh"

usage() {
  cat <<'USAGE'
usage: build.sh [--groups base,desktop,...] [--key]

  --groups  package groups by the names of the lists in groups/; base is always in (default: base)
  --key     print the directory that would be used, build nothing
USAGE
}

SELECTED=base key_only=0
while (($#)); do
  case $1 in
    --groups) SELECTED=$(normal_groups "${2:?--groups wants a list}") && shift ;;
    --key) key_only=1 ;;
    -h | --help) usage && exit ;;
    *) usage >&2 && exit 2 ;;
  esac
  shift
done

CACHE=${VMS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pulumi-vms}/stand-in
result=$CACHE/$(build_key "$SELECTED")
if ((key_only)); then
  echo "$result"
  exit
fi
if is_complete "$result"; then
  touch -c "$result/.manifest" 2>/dev/null || :
  say "already built: $result"
  echo "$result"
  exit
fi
((EUID == 0)) || die "only root can build it; as root, run: ${BASH_SOURCE[0]} --groups $SELECTED"

# An extended build takes what the plain one made: its ISO, its key, and every package that came out the same.
BASE=''
[[ $SELECTED == base ]] || BASE=$("${BASH_SOURCE[0]}" --groups base)

# The lock ends with this process, however it ends. Its file is not in the directory it guards.
mkdir -p "$CACHE/debs/partial"
exec {LOCK}>"$CACHE/lock"
if ! flock -n "$LOCK"; then
  say 'another build is running: waiting for it'
  flock "$LOCK"
fi
if is_complete "$result"; then
  echo "$result"
  exit
fi

# What is left here was cut off, as nobody else holds the lock; results nobody asked for in two weeks go too.
rm -rf "$result" "$CACHE"/.work.*
find "$CACHE" -mindepth 2 -maxdepth 2 -name .manifest -mtime +14 -printf '%h\0' | xargs -0r rm -rf
WORK=$(mktemp -d "$CACHE/.work.XXXXXX")
export HERE WORK SELECTED CACHE BASE
trap 'stop_jobs; rm -rf "$WORK"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
chmod 755 "$WORK"

started=$SECONDS
stage host "$HERE/lib/host.sh"
[[ $BASE ]] || start_job kernel "$HERE/lib/kernel.sh"
stage key "$HERE/lib/key.sh"
stage plan "$HERE/lib/plan.sh"
[[ $BASE ]] || wait_job kernel
stage packages "$HERE/lib/packages.sh"
stage databases "$HERE/lib/databases.sh"
stage iso "$HERE/lib/iso.sh"
stage finish "$HERE/lib/finish.sh"

mv -T "$WORK/result" "$result"
say "built in $((SECONDS - started)) s: $result"
echo "$result"
