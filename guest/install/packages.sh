# shellcheck shell=bash
# Step packages: pacstrap, with the initramfs set up beforehand so that it is built only once.

# What every image has, and nothing for hardware that a virtual machine does not have (linux-firmware).
# The initramfs generator is named because `linux` leaves the choice open.
readonly BASE_PACKAGES=(base linux mkinitcpio e2fsprogs dosfstools openssh sudo qemu-guest-agent)

step_packages() {
  mountpoint -q "$TARGET/boot" || die "nothing is mounted on $TARGET/boot: run the steps before this one"
  mount_package_caches
  write_pacman_config "$TARGET/var/cache/pacman/pkg"
  mkdir -p "$TARGET/var/lib/pacman"
  run_pacman pacman --root "$TARGET" --config "$PACMAN_CONFIG" -Sy --noconfirm
  # A name that does not exist is told now, not at the second boot.
  refuse_unknown_packages "$TARGET" "${BASE_PACKAGES[@]}" "${EXTRA_PACKAGES[@]}"
  prepare_initramfs
  run_pacman pacstrap -c -C "$PACMAN_CONFIG" "$TARGET" "${BASE_PACKAGES[@]}"
}

# Without `autodetect`, so that the image boots on other virtual hardware; without `systemd`, so that init= is started as it is.
prepare_initramfs() {
  mkdir -p "$TARGET/etc/mkinitcpio.conf.d" "$TARGET/etc/mkinitcpio.d"
  cat >"$TARGET/etc/mkinitcpio.conf.d/vms.conf" <<'END'
MODULES=(virtio_pci virtio_blk ext4)
HOOKS=(base udev modconf keyboard block filesystems fsck)
END
  # The kernel's own preset may ask for a second, fallback image, which would be the same without `autodetect`.
  cat >"$TARGET/etc/mkinitcpio.d/linux.preset" <<'END'
ALL_kver="/boot/vmlinuz-linux"
PRESETS=('default')
default_image="/boot/initramfs-linux.img"
END
}
