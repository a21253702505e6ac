# shellcheck shell=bash
# The user, what sudo lets it do, and the keys it logs in with. Nothing of a user that is there already is taken away.

set_user() {
  local user=$1
  [[ $user =~ ^[a-z_][a-z0-9_-]{0,31}$ ]] || refuse "\"$user\" cannot be a user name: lower case letters, digits, - and _, 32 at most"
  [[ $user != root ]] || return 0
  if user_field "$user" 3 >/dev/null; then
    (($(user_field "$user" 3) >= 1000)) || refuse "\"$user\" is an account of the system: choose another name"
    edit_accounts usermod --append --groups wheel "$user"
  else
    grep -qs '^wheel:' "$ROOT/etc/group" || edit_accounts groupadd --system wheel
    # Without a password: the account stays locked until the host sets one.
    edit_accounts useradd --create-home --shell /bin/bash --groups wheel "$user"
  fi
  set_sudo "$user" "$(credential_or sudo password)"
}

# user_field USER NUMBER: a field of /etc/passwd; fails where there is no such user.
user_field() {
  awk -F: -v user="$1" -v field="$2" '$1 == user { print $field; found = 1 } END { exit !found }' "$ROOT/etc/passwd"
}

edit_accounts() {
  local command=$1
  shift
  "$command" ${ROOT:+--prefix "$ROOT"} "$@"
}

set_sudo() {
  local user=$1 how=$2 rule file=$ROOT/etc/sudoers.d/10-vms
  case $how in
    nopasswd) rule="$user ALL=(ALL:ALL) NOPASSWD: ALL" ;;
    password) rule="$user ALL=(ALL:ALL) ALL" ;;
    *) refuse "vms.sudo is \"$how\": it is nopasswd or password" ;;
  esac
  printf '%s\n' "$rule" | visudo --check --quiet --file=- || refuse "sudo does not take the rule \"$rule\""
  printf '%s\n' "$rule" | write_file "$file" 0440
}

# What the host gives of a user is never taken away again.
reset_user() {
  :
}
