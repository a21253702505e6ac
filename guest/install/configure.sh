# shellcheck shell=bash
# Step configure: the installed system's own files and services. Nothing here belongs to one VM: that is identity.sh.

readonly SERVICES=(systemd-networkd.service systemd-resolved.service systemd-timesyncd.service qemu-guest-agent.service
  vms-identity.service getty@tty1.service serial-getty@ttyS0.service fstrim.timer)

step_configure() {
  [[ -x $TARGET/usr/bin/pacman ]] || die "there is no system in $TARGET: run the step packages first"
  write_mirrorlist "$TARGET"
  configure_file_systems
  configure_locale
  configure_host
  configure_identity
  enable_services
  arch-chroot "$TARGET" usermod --lock root
}

configure_file_systems() {
  genfstab -U "$TARGET" >"$TARGET/etc/fstab"
  grep -qE '[[:space:]]/[[:space:]]+ext4[[:space:]]' "$TARGET/etc/fstab" || die "genfstab found no root file system in $TARGET"
}

configure_locale() {
  sed -i -E 's/^#[[:space:]]*(en_US\.UTF-8[[:space:]]+UTF-8)/\1/' "$TARGET/etc/locale.gen"
  grep -q '^en_US\.UTF-8' "$TARGET/etc/locale.gen" || printf 'en_US.UTF-8 UTF-8\n' >>"$TARGET/etc/locale.gen"
  arch-chroot "$TARGET" locale-gen
  printf 'LANG=en_US.UTF-8\n' >"$TARGET/etc/locale.conf"
  printf 'KEYMAP=us\n' >"$TARGET/etc/vconsole.conf"
  ln -sfn ../usr/share/zoneinfo/UTC "$TARGET/etc/localtime"
}

configure_host() {
  printf 'archlinux\n' >"$TARGET/etc/hostname"
  cat >"$TARGET/etc/hosts" <<'END'
127.0.0.1 localhost
::1 localhost
127.0.1.1 archlinux
END
  install -Dm644 units/80-vms.network -t "$TARGET/etc/systemd/network"
  # From outside: arch-chroot puts its own file over this one.
  ln -sfn ../run/systemd/resolve/stub-resolv.conf "$TARGET/etc/resolv.conf"
  install -Dm600 units/10-vms-sshd.conf "$TARGET/etc/ssh/sshd_config.d/10-vms.conf"
  install -Dm644 units/serial-autologin.conf "$TARGET/etc/systemd/system/serial-getty@ttyS0.service.d/autologin.conf"
  install -Dm644 units/quiet-agent.conf "$TARGET/etc/systemd/system/qemu-guest-agent.service.d/10-vms.conf"
}

configure_identity() {
  install -Dm755 init identity.sh add-packages.sh -t "$TARGET/usr/lib/vms"
  install -Dm644 lib.sh network.sh packages.sh -t "$TARGET/usr/lib/vms"
  install -Dm644 traits/*.sh -t "$TARGET/usr/lib/vms/traits"
  install -Dm644 units/vms-identity.service -t "$TARGET/etc/systemd/system"
  mkdir -p "$TARGET/var/lib/vms"
}

# From outside: in the chroot systemctl would be process 1, and log to the kernel.
enable_services() {
  local said
  if ! said=$(systemctl --root="$TARGET" enable "${SERVICES[@]}" 2>&1); then
    die "the services cannot be enabled: ${said##*$'\n'}"
  fi
}
