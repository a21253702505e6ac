#!/usr/bin/env bash
# The steps of the second boot: the installed system, run from its own disk, becomes a golden image.
#
# usage: finish.sh profile|check|seal
#
# Assumes: root in the system that install.sh made, booted by UEFI from its own disk; the payload unpacked around this
# file. After `seal` the machine must be powered off: what runs on would write again what was taken out.

set -euo pipefail
shopt -s inherit_errexit

cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
source ./lib.sh
guard_errors
source ./network.sh
source ./packages.sh
for part in ./finish/*.sh; do
  # shellcheck source=/dev/null
  source "$part"
done

# shellcheck disable=SC2034 # used by the steps
readonly DISK=/dev/disk/by-id/virtio-vms-root

load_recipe
run_step "${1:-}" profile check seal
