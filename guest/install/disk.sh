# shellcheck shell=bash
# Steps partition, format and unmount: the disk. The root partition is the last one, so that it can grow.

readonly ESP_TYPE=C12A7328-F81F-11D2-BA4B-00A0C93EC93B ROOT_TYPE=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709
readonly ESP_SIZE=512MiB SMALLEST_DISK_MIB=3072 DEVICE_SECONDS=30 UNMOUNT_SECONDS=30

step_partition() {
  wait_until "$DEVICE_SECONDS" test -b "$DISK" || die "there is no disk with the serial vms-root: the host must attach one"
  local size_mib=$(($(blockdev --getsize64 "$DISK") / 1048576))
  ((size_mib >= SMALLEST_DISK_MIB)) || die "the disk has $size_mib MiB: an Arch Linux needs at least $SMALLEST_DISK_MIB MiB"
  unmount_target
  wipefs --all --quiet "$DISK"
  sfdisk --quiet --wipe always --wipe-partitions always "$DISK" <<END
label: gpt
size=$ESP_SIZE, type=$ESP_TYPE, name=esp
type=$ROOT_TYPE, name=root
END
  udevadm settle --timeout="$DEVICE_SECONDS"
  wait_until "$DEVICE_SECONDS" has_partitions || die "the partitions of $DISK did not appear within $DEVICE_SECONDS s"
}

has_partitions() {
  [[ -b $DISK-part1 && -b $DISK-part2 ]]
}

step_format() {
  unmount_target
  mkfs.fat -F 32 -n ESP "$DISK-part1" >/dev/null
  # The inode tables are cleared here, once: else every VM would write them in the background into its own overlay.
  mkfs.ext4 -q -F -L root -E lazy_itable_init=0,lazy_journal_init=0 "$DISK-part2"
  mount "$DISK-part2" "$TARGET"
  # Only root may read the ESP: it holds the boot loader's random seed.
  mount -o X-mount.mkdir,fmask=0077,dmask=0077 "$DISK-part1" "$TARGET/boot"
}

step_unmount() {
  unmount_package_caches
  sync
  unmount_target
  blockdev --flushbufs "$DISK"
}

# pacman's key handling leaves an agent behind, which keeps the file system busy.
unmount_target() {
  mountpoint -q "$TARGET" || return 0
  if [[ -d $TARGET/etc/pacman.d/gnupg ]]; then
    gpgconf --homedir "$TARGET/etc/pacman.d/gnupg" --kill all 2>/dev/null || true
  fi
  wait_until "$UNMOUNT_SECONDS" umount -R "$TARGET" ||
    die "$TARGET cannot be unmounted, it is used by: $(list_users_of_target)"
}

list_users_of_target() {
  local process
  for process in /proc/[0-9]*; do
    if find "$process"/{cwd,root,exe,fd} -lname "$TARGET*" -print -quit 2>/dev/null | grep -q .; then
      printf '%s(%s) ' "$(cat "$process/comm")" "${process#/proc/}"
    fi
  done
}
