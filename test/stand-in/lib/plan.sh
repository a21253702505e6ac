#!/bin/bash
# Resolves the groups with apt against an empty system, downloads the packages, and plans the pacman packages of them.
set -euo pipefail
# shellcheck source=/dev/null
source "$HERE/lib/common.sh"

cd "$WORK"
: >no-status
for group in ${SELECTED//,/ }; do data_lines "$HERE/groups/$group.list"; done >rows
# Third field to the colon: what Debian packages the groups name.
mapfile -t wanted < <(awk '{ for (i = 3; i <= NF && $i != ":"; i++) print $i }' rows | sort -u)

options=(-q -o "Dir::State::status=$WORK/no-status" -o "Dir::Cache::archives=$CACHE/debs"
  -o APT::Install-Recommends=0 -o APT::Sandbox::User=root -o Debug::NoLocking=1)
# An empty cache directory for the list: apt leaves out what it has already.
mkdir -p none/partial
apt-get -y "${options[@]}" -o "Dir::Cache::archives=$WORK/none" --print-uris install "${wanted[@]}" |
  awk '/^\047/ { print $2 }' >debs
apt-get -y "${options[@]}" --download-only install "${wanted[@]}"

# Their control data from one call: asking each file takes as long as unpacking it.
cut -d_ -f1 debs | xargs apt-cache "${options[@]}" show --no-all-versions >stanzas
awk -v dropped="$(data_lines "$HERE/data/dropped.list" | paste -sd' ')" -f "$HERE/lib/plan.awk" rows debs stanzas >plan
