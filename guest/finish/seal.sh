# shellcheck shell=bash
# Step seal: takes out what belongs to one machine, so that each VM made of this image gets its own.

step_seal() {
  seal_packages
  seal_secrets
  seal_traces
  seal_identity
  sync
  fstrim -v / || die "the free room of the disk cannot be given back: the disk must be attached with discard='unmap'"
  fstrim -v /boot || say "the ESP cannot be trimmed"
  sync
}

# The keyring stays, so that pacman works at once; its agent's sockets do not.
seal_packages() {
  unmount_package_caches
  gpgconf --homedir /etc/pacman.d/gnupg --kill all 2>/dev/null || true
  find /etc/pacman.d/gnupg -type s -delete
  find /var/cache/pacman/pkg -mindepth 1 -delete
}

# A random seed is saved once more when its service stops: so stop it first.
seal_secrets() {
  systemctl stop systemd-random-seed.service
  rm -f /var/lib/systemd/random-seed /var/lib/systemd/credential.secret /boot/loader/random-seed
  rm -f /etc/ssh/ssh_host_* /root/.ssh/known_hosts /root/.ssh/known_hosts.old
}

# The journal goes back to memory, and stays there until the power is off.
seal_traces() {
  journalctl --relinquish-var
  # Where there is no such folder the journal was never anywhere but in memory.
  if [[ -d /var/log/journal ]]; then find /var/log/journal -mindepth 1 -delete; fi
  find /tmp /var/tmp -mindepth 1 -xdev -not -path '*/systemd-private-*' -not -path "$VMS_ERROR_FILE" -delete 2>/dev/null || true
  find /var/lib/systemd/coredump -mindepth 1 -delete 2>/dev/null || true
  rm -f /root/.bash_history /root/.lesshst /root/.wget-hsts /var/lib/systemd/timesync/clock
  local file
  for file in /var/log/wtmp /var/log/btmp /var/log/lastlog; do
    if [[ -e $file ]]; then truncate -s 0 "$file"; fi
  done
}

# An empty machine-id, unlike a missing one, makes no "first boot": the services stay enabled as they are.
seal_identity() {
  find /var/lib/vms -mindepth 1 -delete
  truncate -s 0 /etc/machine-id
  if [[ -f /var/lib/dbus/machine-id && ! -L /var/lib/dbus/machine-id ]]; then rm -f /var/lib/dbus/machine-id; fi
}
