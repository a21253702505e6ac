#!/bin/bash
# Builds the stand-in for Arch: a package repository and an ISO, from the packages of the Debian this runs on.
# Assumes: root, Debian 12 or later on amd64, an apt that reaches a mirror, and mount namespaces.
# Progress goes to stderr; stdout carries one line, the finished directory.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=test/stand-in/lib/common.sh
source "$here/lib/common.sh"

usage() {
  cat <<'USAGE'
usage: build.sh [--groups base,desktop,...] [--key]

  --groups  package groups by the names of the lists in groups/; base is always in (default: base)
  --key     print the directory that would be used, build nothing
USAGE
}

groups=base key_only=0
while (($#)); do
  case $1 in
    --groups) groups=$(normal_groups "${2:?--groups wants a list}") && shift ;;
    --key) key_only=1 ;;
    -h | --help) usage && exit ;;
    *) usage >&2 && exit 2 ;;
  esac
  shift
done

cache=${VMS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pulumi-vms}/stand-in
result=$cache/$(build_key "$groups")
if ((key_only)); then
  echo "$result"
  exit
fi
if is_complete "$result"; then
  say "already built: $result"
  echo "$result"
  exit
fi
((EUID == 0)) || die "only root can build it; as root, run: ${BASH_SOURCE[0]} --groups $groups"

# The lock ends with this process and its children, however they end. Its file is not in the directory it guards.
mkdir -p "$cache/debs/partial"
exec {lock}>"$cache/lock"
if ! flock -n "$lock"; then
  say 'another build is running: waiting for it'
  flock "$lock"
fi
if is_complete "$result"; then
  echo "$result"
  exit
fi

rm -rf "$result" "$cache"/.work.*
work=$(mktemp -d "$cache/.work.XXXXXX")
export here work groups cache
# A stage that fails leaves its log on stderr, and nothing on disk.
trap 'stop_jobs; rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
chmod 755 "$work"

# An extended build takes what the plain one made: its ISO, its key, and every package that came out the same.
base=''
if [[ $groups != base ]]; then
  flock -u "$lock"
  base=$("${BASH_SOURCE[0]}" --groups base)
  flock "$lock"
fi
export base

started=$SECONDS
stage host "$here/lib/host.sh"
[[ $base ]] || start_job kernel "$here/lib/kernel.sh"
stage key "$here/lib/key.sh"
stage plan "$here/lib/plan.sh"
[[ $base ]] || wait_job kernel
stage packages "$here/lib/packages.sh"
stage databases "$here/lib/databases.sh"
stage iso "$here/lib/iso.sh"
stage finish "$here/lib/finish.sh"

mv -T "$work/result" "$result"
say "built in $((SECONDS - started)) s: $result"
echo "$result"
