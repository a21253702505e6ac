#!/usr/bin/env bash
# Profile dev: a terminal, open on the desktop, with git, neovim and what builds packages. The contract of all profiles:
# docs/profiles.md.
# vms-base: gui

set -euo pipefail

# shellcheck source=guest/lib.sh
source "$VMS_PAYLOAD/lib.sh"
guard_errors
# shellcheck source=guest/packages.sh
source "$VMS_PAYLOAD/packages.sh"

install_packages base-devel git neovim

install -Dm644 /dev/stdin /etc/profile.d/vms-editor.sh <<'END'
export EDITOR="${EDITOR:-nvim}"
END
install -Dm644 /dev/stdin /etc/skel/.config/i3/config.d/terminal.conf <<<'exec xterm'
