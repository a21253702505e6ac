#!/usr/bin/env bash
# The steps of the first boot: turns an empty disk into an Arch Linux that boots by itself.
#
# usage: install.sh ready|partition|format|packages|configure|bootloader|unmount
#
# Assumes: root in the live system of the official ISO, booted by UEFI; the payload unpacked around this file; the disk to
# install on is the virtio one with the serial vms-root, and everything on it may be lost. Each step takes up where the one
# before it ended, can be run again, and ends either with status 0 or with `error: ...` as its last line on stderr.

set -euo pipefail
shopt -s inherit_errexit

cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
source ./lib.sh
guard_errors
source ./network.sh
source ./packages.sh
for part in ./install/*.sh; do
  # shellcheck source=/dev/null
  source "$part"
done

# shellcheck disable=SC2034 # used by the steps
readonly DISK=/dev/disk/by-id/virtio-vms-root TARGET=/mnt

load_recipe
run_step "${1:-}" ready partition format packages configure bootloader unmount
