# shellcheck shell=bash
# The keys that the user logs in with, and sshd, which is on while there are any. Keys that were added by hand stay: ours are
# those that the host gave now or the last time.

# With a line that is no key, nothing is changed.
set_authorized_keys() {
  local keys=$1 line number=0
  while IFS= read -r line; do
    number=$((number + 1))
    ssh-keygen -l -f - <<<"$line" >/dev/null 2>&1 || refuse "line $number is not a public key"
  done < <(grep -v '^[[:space:]]*$' <<<"$keys")
  replace_keys <<<"$keys"
  enable_sshd
}

reset_authorized_keys() {
  replace_keys </dev/null
  grep -qvE '^[[:space:]]*(#|$)' <<<"$KEYS_LEFT" || disable_sshd
}

# Puts the keys on stdin in the place of those that the host gave the last time. Sets KEYS_LEFT to the user's keys now.
# As the user: a link that it put there leads nowhere that it could not write itself.
replace_keys() {
  local user uid home
  user=$(credential_or user root)
  uid=$(user_field "$user" 3) || refuse "there is no user \"$user\""
  home=$ROOT$(user_field "$user" 6)
  # shellcheck disable=SC2016 # expanded by the shell that is started
  KEYS_LEFT=$(setpriv --reuid "$uid" --regid "$(user_field "$user" 4)" --clear-groups \
    bash -c 'set -euo pipefail; umask 077; cd -- "$1"
      given=$(cat) before=/dev/null
      if [[ -e $2 ]]; then before=$2; fi
      if [[ -n $given || -e .ssh/authorized_keys ]]; then
        mkdir -p .ssh
        touch .ssh/authorized_keys
        { [[ -z $given ]] || printf "%s\n" "$given"
          grep -vxF -f "$before" -e "$given" .ssh/authorized_keys || [[ $? -eq 1 ]]; } >.ssh/.authorized_keys.new
        mv -T .ssh/.authorized_keys.new .ssh/authorized_keys
        cat .ssh/authorized_keys
      fi' bash "$home" "$TAKEN/vms.authorized_keys")
}

# Whether it was off before is kept, for sshd that was turned on by hand is not ours to turn off.
enable_sshd() {
  if systemctl ${ROOT:+--root="$ROOT"} is-enabled --quiet sshd.service 2>/dev/null; then return; fi
  : | write_file "$RECORDS/sshd-enabled" 0644
  if [[ -n $ROOT ]]; then
    systemctl --root="$ROOT" enable sshd.service
  else
    systemctl --no-reload enable sshd.service
    systemctl --no-block start sshd.service
  fi
}

disable_sshd() {
  if [[ ! -e $RECORDS/sshd-enabled ]]; then return; fi
  if [[ -n $ROOT ]]; then
    systemctl --root="$ROOT" disable sshd.service
  else
    systemctl --no-reload disable sshd.service
    systemctl --no-block stop sshd.service
  fi
  rm -f -- "$RECORDS/sshd-enabled"
}
