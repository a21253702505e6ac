# shellcheck shell=bash
# Step bootloader: systemd-boot on the ESP, found by any firmware without a boot entry, and one entry for the kernel.
# The entry names the files that each new kernel replaces, so an upgrade needs nothing here.

step_bootloader() {
  local file root_uuid
  # No boot entry in the firmware: its variables belong to this domain alone. The ESP's fallback path is what boots.
  arch-chroot "$TARGET" bootctl --no-variables --esp-path=/boot install || die "bootctl could not install systemd-boot"
  root_uuid=$(findmnt -no UUID "$TARGET")
  cat >"$TARGET/boot/loader/loader.conf" <<'END'
default arch.conf
timeout 0
END
  mkdir -p "$TARGET/boot/loader/entries"
  # The last console is /dev/console: the boot's messages and its shell are on the serial line.
  cat >"$TARGET/boot/loader/entries/arch.conf" <<END
title Arch Linux
linux /vmlinuz-linux
initrd /initramfs-linux.img
options root=UUID=$root_uuid rw console=tty0 console=ttyS0,115200 loglevel=3 net.ifnames=0 no_timer_check init=/usr/lib/vms/init
END
  for file in vmlinuz-linux initramfs-linux.img EFI/BOOT/BOOTX64.EFI; do
    [[ -s $TARGET/boot/$file ]] || die "the ESP lacks /$file: the packages did not put it there"
  done
}
