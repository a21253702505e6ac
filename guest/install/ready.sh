# shellcheck shell=bash
# Step ready: what the live system must have before anything is written. Every wait has an end.

readonly CLOCK_SECONDS=10

step_ready() {
  [[ $EUID -eq 0 ]] || die "the install must run as root"
  wait_for_route
  wait_for_clock
  write_mirrorlist ""
  wait_for_mirror
  wait_for_keyring
}

# The keyring is made after the clock is set, and that waits without end where no time server answers.
# The machine's clock comes from the host, so after a fair time it is taken for right.
wait_for_clock() {
  local mark=/run/systemd/timesync/synchronized
  if ! wait_until "$CLOCK_SECONDS" test -e "$mark"; then
    say "no time server answered within $CLOCK_SECONDS s: going on with the clock of the host, $(date -u '+%F %T') UTC"
    mkdir -p "${mark%/*}"
    touch "$mark"
  fi
}

wait_for_keyring() {
  local seconds
  seconds=$(patience 120 900)
  say "waiting for the package keyring (at most $seconds s)"
  if [[ $(systemctl show -P LoadState pacman-init.service) == loaded ]]; then
    wait_until "$seconds" keyring_unit_ended ||
      die "the package keyring was not ready within $seconds s: see journalctl -u pacman-init in the live system"
  fi
  if ! has_keys; then
    say "the live system has no keyring: making one"
    { pacman-key --init && pacman-key --populate; } || die "the package keyring cannot be made: the ISO may be damaged or too old"
  fi
}

keyring_unit_ended() {
  local state
  state=$(systemctl show -P ActiveState pacman-init.service)
  [[ $state != failed ]] || die "the live system could not make its keyring: $(journalctl -b -u pacman-init.service -o cat -n 3 | paste -sd ';')"
  [[ $state == active ]]
}

has_keys() {
  [[ -n $(pacman-key --list-keys 2>/dev/null) ]]
}
