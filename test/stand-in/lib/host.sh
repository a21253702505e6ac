#!/bin/bash
# Installs what the build needs and the host lacks.
set -euo pipefail
# shellcheck source=/dev/null
source "$HERE/lib/common.sh"

# A program and the package that has it.
tools='bsdtar libarchive-tools
depmod kmod
gpg gpg
gpg-agent gpg-agent
mcopy mtools
mkfs.fat dosfstools
mksquashfs squashfs-tools
mount mount
pacman pacman-package-manager
unshare util-linux
xorriso xorriso
zstd zstd'

missing=()
while read -r tool package; do
  PATH=$PATH:/usr/sbin:/sbin type -P "$tool" >/dev/null || missing+=("$package")
done <<<"$tools"

# apt's lists are empty on a fresh container image; what is installed it knows all the same.
if [[ -z $(apt-cache madison linux-image-amd64) ]]; then
  apt-get update
fi
((${#missing[@]} == 0)) ||
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
