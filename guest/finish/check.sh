# shellcheck shell=bash
# Step check: sees from the inside that what was installed is what runs. Everything that is wrong is told at once.

step_check() {
  PROBLEMS=()
  check_root
  check_kernel
  check_services
  check_network
  check_identity
  ((${#PROBLEMS[@]} == 0)) || die "the installed system is not right: $(join_problems)"
  say "checked: $(uname -r) on $(findmnt -no SOURCE /), $(pacman -Qq | wc -l) packages"
}

problem() {
  PROBLEMS+=("$*")
}

join_problems() {
  local text
  printf -v text '%s; ' "${PROBLEMS[@]}"
  printf '%s' "${text%; }"
}

check_root() {
  local source kind expected
  source=$(readlink -f "$(findmnt -no SOURCE /)")
  kind=$(findmnt -no FSTYPE /)
  expected=$(readlink -f "$DISK-part2")
  [[ $source == "$expected" ]] || problem "the root file system is on $source, not on $expected"
  [[ $kind == ext4 ]] || problem "the root file system is $kind, not ext4"
  [[ -s /boot/EFI/BOOT/BOOTX64.EFI ]] || problem "the ESP has no EFI/BOOT/BOOTX64.EFI"
}

check_kernel() {
  local version owner
  version=$(uname -r)
  owner=$(pacman -Qqo "/usr/lib/modules/$version/vmlinuz" 2>/dev/null) || owner=""
  if [[ -z $owner ]]; then
    problem "the kernel that runs, $version, belongs to no installed package: it was upgraded meanwhile, so install again"
  elif ! cmp -s "/usr/lib/modules/$version/vmlinuz" /boot/vmlinuz-linux; then
    problem "/boot/vmlinuz-linux is not the kernel of the package $owner"
  fi
  [[ $(tr '\0' '\n' </proc/1/cmdline | head -n 1) == */systemd ]] || problem "process 1 is not systemd"
}

check_services() {
  local seconds state failed=()
  seconds=$(patience 90 300)
  say "waiting until the system has started (at most $seconds s)"
  state=$(timeout "$seconds" systemctl is-system-running --wait) || true
  mapfile -t failed < <(systemctl list-units --failed --plain --no-legend | awk '{ print $1 }')
  if ((${#failed[@]} > 0)); then
    systemctl status --no-pager --lines=10 -- "${failed[@]}" || true
    problem "failed units: ${failed[*]}"
  elif [[ $state != running ]]; then
    problem "the system is \"${state:-still starting}\" after $seconds s; waiting for: $(systemctl list-jobs --plain --no-legend | awk '{ print $2 }' | paste -sd ' ')"
  fi
  # The agent starts with its channel, which is the host's to give.
  if [[ -e /dev/virtio-ports/org.qemu.guest_agent.0 ]]; then
    systemctl is-active --quiet qemu-guest-agent.service || problem "the guest agent does not run"
  elif [[ ! -x /usr/bin/qemu-ga ]]; then
    problem "the guest agent is not installed"
  fi
}

check_network() {
  has_default_route || problem "there is no default route"
  grep -qs '^nameserver' /etc/resolv.conf || problem "/etc/resolv.conf names no name server"
}

check_identity() {
  local result
  result=$(cat /run/vms/identity 2>/dev/null) || result="no result"
  [[ $result == ok\ * ]] || problem "vms-identity.service: $result"
  [[ -s /etc/machine-id ]] || problem "/etc/machine-id is empty"
  [[ $(passwd --status root | awk '{ print $2 }') == L* ]] || problem "the password of root is not locked"
}
