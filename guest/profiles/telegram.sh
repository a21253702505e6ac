#!/usr/bin/env bash
# Profile telegram: Telegram, open on the desktop. The contract of all profiles: docs/profiles.md.
# vms-base: gui

set -euo pipefail

# shellcheck source=guest/lib.sh
source "$VMS_PAYLOAD/lib.sh"
guard_errors
# shellcheck source=guest/packages.sh
source "$VMS_PAYLOAD/packages.sh"

install_packages telegram-desktop

# The program's name has changed over its versions.
install -Dm644 /dev/stdin /etc/skel/.config/i3/config.d/telegram.conf <<'END'
exec "program=$(command -v telegram-desktop || command -v Telegram) && exec $program"
END
