#!/bin/bash
# Installs the live system into $work/iso-root. Runs in a mount namespace of its own.
set -euo pipefail
# shellcheck source=test/stand-in/lib/common.sh
source "$here/lib/common.sh"
PATH=$PATH:/usr/sbin:/sbin

root=$work/iso-root
mkdir -p "$root"/{proc,dev,tmp,etc,root,usr/local/bin,var/lib/pacman}
chmod 1777 "$root/tmp"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
cp -a --no-preserve=ownership "$here/iso/etc/mkinitcpio.conf.d" "$root/etc/"

cat >"$work/pacman.conf" <<CONF
[options]
Architecture = x86_64
SigLevel = Never
CacheDir = $work/pacman-cache
[core]
Server = file://$work/result/repo/core/os/x86_64
[extra]
Server = file://$work/result/repo/extra/os/x86_64
CONF
mkdir -p "$work/pacman-cache"
mapfile -t wanted < <(data_lines "$here/data/iso.list" | tr -s ' ' '\n')
pacman --root "$root" --config "$work/pacman.conf" --noconfirm --noprogressbar -Sy "${wanted[@]}"

cp -a --no-preserve=ownership "$here/iso/." "$root/"
chmod 600 "$root/etc/shadow"
chroot "$root" usermod -s /usr/bin/zsh root
ln -sf ../run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
ln -sf /usr/share/zoneinfo/UTC "$root/etc/localtime"
: >"$root/etc/machine-id"
rm -rf "$root"/var/lib/pacman/sync/* "$root/var/log/pacman.log" "$root/etc/ssh"/ssh_host_*
chroot "$root" systemctl --quiet enable choose-mirror.service pacman-init.service sshd.service systemd-networkd.service \
  systemd-resolved.service systemd-timesyncd.service systemd-time-wait-sync.service
# A mirror list that works: the real one names public mirrors, which a test never reaches.
sed -i 's/^#Server/Server/' "$root/etc/pacman.d/mirrorlist"
