#!/bin/bash
# Installs the live system into $WORK/iso-root. Runs in a mount namespace of its own.
set -euo pipefail
# shellcheck source=/dev/null
source "$HERE/lib/common.sh"
PATH=$PATH:/usr/sbin:/sbin

root=$WORK/iso-root
mkdir -p "$root"/{proc,dev,tmp,etc,root,usr/local/bin,var/lib/pacman}
chmod 1777 "$root/tmp"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
copy_files "$HERE/iso/etc/mkinitcpio.conf.d" "$root/etc/mkinitcpio.conf.d"

cat >"$WORK/pacman.conf" <<CONF
[options]
Architecture = x86_64
SigLevel = Never
CacheDir = $WORK/pacman-cache
[core]
Server = file://$WORK/result/repo/core/os/x86_64
[extra]
Server = file://$WORK/result/repo/extra/os/x86_64
CONF
mkdir -p "$WORK/pacman-cache"
mapfile -t wanted < <(data_lines "$HERE/data/iso.list" | tr -s ' ' '\n')
pacman --root "$root" --config "$WORK/pacman.conf" --noconfirm --noprogressbar -Sy "${wanted[@]}"

copy_files "$HERE/iso" "$root"
chmod 750 "$root/root"
chroot "$root" usermod -s /usr/bin/zsh root
ln -sf ../run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
ln -sf /usr/share/zoneinfo/UTC "$root/etc/localtime"
: >"$root/etc/machine-id"
rm -rf "$root"/var/lib/pacman/sync/* "$root/var/log/pacman.log" "$root/etc/ssh"/ssh_host_*
chroot "$root" systemctl --quiet enable choose-mirror.service pacman-init.service systemd-networkd.service \
  systemd-resolved.service systemd-timesyncd.service systemd-time-wait-sync.service
# A mirror list that works: the real one names public mirrors, which a test never reaches.
sed -i 's/^#Server/Server/' "$root/etc/pacman.d/mirrorlist"
