#!/usr/bin/env bash
# Profile browser: chromium, open on the desktop. The contract of all profiles: docs/profiles.md.
# vms-base: gui

set -euo pipefail

# shellcheck source=guest/lib.sh
source "$VMS_PAYLOAD/lib.sh"
guard_errors
# shellcheck source=guest/packages.sh
source "$VMS_PAYLOAD/packages.sh"

install_packages chromium

# By options and not by a policy, which would have it say that it is managed by an organisation.
install -Dm644 /dev/stdin /etc/skel/.config/chromium-flags.conf <<'END'
# No pages about itself, and no question about the tabs of a session that ended with the machine.
--no-first-run
--no-default-browser-check
--hide-crash-restore-bubble
# There is no keyring to unlock.
--password-store=basic
END
install -Dm644 /dev/stdin /etc/skel/.config/i3/config.d/browser.conf <<<'exec chromium'
