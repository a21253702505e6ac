#!/usr/bin/env bash
# Profile gui: X with i3, which the machine's user finds on the screen after each boot, with sound, fonts and SPICE's agent.
# vms-base: minimal
#
# A profile on top of it opens a program with the session by a file /etc/skel/.config/i3/config.d/NAME.conf with a line
# `exec PROGRAM`. The contract of all profiles: docs/profiles.md.

set -euo pipefail

# shellcheck source=guest/lib.sh
source "$VMS_PAYLOAD/lib.sh"
guard_errors
# shellcheck source=guest/packages.sh
source "$VMS_PAYLOAD/packages.sh"

# In this order: the server and what the session calls; i3; the agent; sound; fonts for Latin, CJK and emoji.
install_packages \
  xorg-server xorg-xinit xorg-xrandr xorg-xrdb xorg-xset xorg-xsetroot xorg-xev xorg-setxkbmap \
  i3-wm i3status dmenu xterm \
  spice-vdagent \
  pipewire pipewire-alsa pipewire-pulse wireplumber \
  ttf-dejavu noto-fonts noto-fonts-cjk noto-fonts-emoji

cd -- "$VMS_PAYLOAD/desktop"
install -Dm755 login start prepare fit-display -t /usr/lib/vms/desktop
install -Dm644 getty.conf /etc/systemd/system/getty@tty1.service.d/vms-desktop.conf
# The last of its folder: what the others set counts in the session.
install -Dm644 profile.sh /etc/profile.d/zz-vms-desktop.sh
install -Dm644 xinitrc /etc/skel/.xinitrc
install -Dm644 Xresources /etc/skel/.Xresources
install -Dm644 i3.conf /etc/skel/.config/i3/config
install -Dm644 i3status.conf /etc/skel/.config/i3status/config
mkdir -p /etc/skel/.config/i3/config.d
# The rule of udev that starts it looks for the port's name when the port is added, and that may be before it has one.
systemctl add-wants sockets.target spice-vdagentd.socket
systemctl --global enable pipewire.socket pipewire-pulse.socket wireplumber.service
