#!/bin/bash
# The ISO: a root installed by the host's pacman from the repository just made, in archiso's layout.
# An extended build takes the plain build's.
set -euo pipefail
# shellcheck source=/dev/null
source "$HERE/lib/common.sh"
PATH=$PATH:/usr/sbin:/sbin

if [[ $BASE ]]; then
  ln "$BASE"/archlinux-x86_64.iso "$WORK/result/"
  exit
fi

# Mounts live in a namespace of their own: nothing is left of them, however the build ends.
unshare --mount --fork --propagation private "$HERE/lib/iso-root.sh"

root=$WORK/iso-root
# The name of the file the initramfs looks for is the ISO's own modification date.
stamp=$(date -u +%Y-%m-%d-%H-%M-%S-00)
tree=$WORK/iso-tree
mkdir -p "$tree"/{boot,EFI/BOOT,loader/entries,arch/boot/x86_64,arch/x86_64}
cp "$root"/boot/{vmlinuz-linux,initramfs-linux.img} "$tree/arch/boot/x86_64/"
: >"$tree/boot/$stamp.uuid"
(cd "$root" && LC_ALL=C chroot . pacman -Q) >"$tree/arch/pkglist.x86_64.txt"

# lz4: the quickest to unpack without KVM, and to pack.
mksquashfs "$root" "$tree/arch/x86_64/airootfs.sfs" -quiet -no-progress -no-xattrs -comp lz4 -b 256K \
  -wildcards -e 'boot/*' 'proc/*' 'sys/*' 'dev/*' 'run/*' 'tmp/*'
(cd "$tree/arch/x86_64" && sha512sum airootfs.sfs >airootfs.sha512)

cp "$root/usr/lib/systemd/boot/efi/systemd-bootx64.efi" "$tree/EFI/BOOT/BOOTx64.EFI"
printf 'timeout 3\ndefault 01-archiso-linux.conf\n' >"$tree/loader/loader.conf"
cat >"$tree/loader/entries/01-archiso-linux.conf" <<ENTRY
title    Arch Linux install medium (x86_64, UEFI)
sort-key 01
linux    /arch/boot/x86_64/vmlinuz-linux
initrd   /arch/boot/x86_64/initramfs-linux.img
options  archisobasedir=arch archisosearchuuid=$stamp
ENTRY

# El Torito image: the firmware sees only this FAT, so the kernel is in it a second time.
efi=$WORK/efi.img
size=$((8 + $(du -smc "$tree"/{EFI,loader,arch/boot} | tail -n 1 | cut -f1)))
truncate -s "${size}M" "$efi"
mkfs.fat -n ARCHISO_EFI "$efi"
mcopy -s -i "$efi" "$tree/EFI" "$tree/loader" ::
mmd -i "$efi" ::/arch
mcopy -s -i "$efi" "$tree/arch/boot" ::/arch/

xorriso -as mkisofs -iso-level 3 -full-iso9660-filenames -joliet -rational-rock -quiet \
  -volid "ARCH_$(cut -c1-4,6-7 <<<"$stamp")" --modification-date="$(tr -d - <<<"$stamp")" \
  -appid 'Arch Linux Live/Rescue DVD' -append_partition 2 C12A7328-F81F-11D2-BA4B-00A0C93EC93B "$efi" \
  -appended_part_as_gpt -eltorito-alt-boot -e --interval:appended_partition_2:all:: -no-emul-boot \
  -o "$WORK/result/archlinux-x86_64.iso" "$tree"
rm -rf "$root" "$tree" "$efi"
