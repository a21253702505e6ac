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

apt_get=(apt-get -q -y -o "Dir::State::status=$WORK/no-status" -o "Dir::Cache::archives=$CACHE/debs"
  -o APT::Install-Recommends=0 -o APT::Sandbox::User=root -o Debug::NoLocking=1)
# An empty cache directory for the list: apt leaves out what it has already.
mkdir -p none/partial
"${apt_get[@]}" -o "Dir::Cache::archives=$WORK/none" --print-uris install "${wanted[@]}" |
  awk '/^\047/ { print $2 }' >debs
"${apt_get[@]}" --download-only install "${wanted[@]}"

# One stanza a downloaded package, in the same order as its file names.
while read -r deb; do
  echo "File: $deb"
  dpkg-deb --field "$CACHE/debs/$deb" Package Version Provides Pre-Depends Depends
  echo
done <debs >stanzas
awk -v dropped="$(data_lines "$HERE/data/dropped.list" | paste -sd' ')" -f "$HERE/lib/plan.awk" rows stanzas >plan
