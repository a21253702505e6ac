# shellcheck shell=bash
# Host name, time zone, locale, keymap and SSH host keys. What is already so is left alone.

set_hostname() {
  local name=$1 names=$1
  [[ ${#name} -le 64 && $name =~ ^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$ ]] ||
    refuse "\"$name\" cannot be a host name: letters, digits, dots and inner hyphens, 64 at most"
  if [[ $name == *.* ]]; then names="$name ${name%%.*}"; fi
  printf '%s\n' "$name" | write_file "$ROOT/etc/hostname" 0644
  {
    grep -v '^127\.0\.1\.1[[:space:]]' "$ROOT/etc/hosts" || true
    printf '127.0.1.1 %s\n' "$names"
  } | write_file "$ROOT/etc/hosts" 0644
  # systemd took the old one from the file when it started.
  [[ -n $ROOT ]] || printf '%s' "$name" >/proc/sys/kernel/hostname
}

set_timezone() {
  local zone=$1
  [[ $zone =~ ^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$ && -f $ROOT/usr/share/zoneinfo/$zone ]] ||
    refuse "there is no time zone \"$zone\": timedatectl list-timezones lists them"
  ln -sfn -- "../usr/share/zoneinfo/$zone" "$ROOT/etc/.localtime.new"
  mv -T -- "$ROOT/etc/.localtime.new" "$ROOT/etc/localtime"
}

reset_hostname() {
  set_hostname archlinux
}

reset_timezone() {
  ln -sfn -- ../usr/share/zoneinfo/UTC "$ROOT/etc/localtime"
}

reset_locale() {
  set_locale en_US.UTF-8
}

reset_keymap() {
  write_keymap us
}

set_locale() {
  local locale=$1
  [[ $locale =~ ^[A-Za-z0-9_]+(\.[A-Za-z0-9-]+)?(@[a-z]+)?$ ]] || refuse "\"$locale\" cannot be a locale: it looks like de_DE.UTF-8"
  has_locale "$locale" || make_locale "$locale"
  printf 'LANG=%s\n' "$locale" | write_file "$ROOT/etc/locale.conf" 0644
  # systemd read the old one when it started, and hands it to every service of this boot.
  [[ -n $ROOT ]] || systemctl set-environment "LANG=$locale"
}

# The C library spells the character set of its own list in its own way: de_DE.utf8.
has_locale() {
  local list name wanted
  list=$(locale -a)
  wanted=$(plain_locale "$1")
  while read -r name; do
    if [[ $(plain_locale "$name") == "$wanted" ]]; then return; fi
  done <<<"$list"
  return 1
}

plain_locale() {
  local name=$1 set=""
  if [[ $name == *.* ]]; then
    set=${name#*.}
    set=${set%%@*}
    set=${set,,}
  fi
  printf '%s.%s@%s\n' "${name%%[.@]*}" "${set//-/}" "$([[ $name == *@* ]] && printf '%s' "${name#*@}")"
}

# Makes this one locale, as locale-gen would, and keeps it in locale.gen, so that an upgrade of the C library makes it again.
make_locale() {
  local locale=$1 file=$ROOT/etc/locale.gen known input
  known=$({ cat "$file" "$ROOT/usr/share/i18n/SUPPORTED" 2>/dev/null || true; } |
    sed -E 's/^#[[:space:]]*//; s/[[:space:]]+$//' | awk -v locale="$locale" 'NF == 2 && $1 == locale && !found++')
  [[ -n $known ]] || refuse "there is no locale \"$locale\": /etc/locale.gen lists them"
  {
    grep -vxF -- "$known" "$file" || true
    printf '%s\n' "$known"
  } | write_file "$file" 0644
  input=${locale%%.*}
  if [[ $locale == *@* ]]; then input+=@${locale#*@}; fi
  # It has warnings for many a good locale, so what counts is whether the locale is there.
  localedef -c -i "$input" -f "${known##* }" -A /usr/share/locale/locale.alias "$locale" >&2 || true
  has_locale "$locale" || refuse "localedef did not make the locale \"$locale\""
}

set_keymap() {
  local keymap=$1 file=$ROOT/etc/vconsole.conf
  if grep -qsxF -- "KEYMAP=$keymap" "$file"; then return; fi
  [[ $keymap =~ ^[A-Za-z0-9][A-Za-z0-9_.+-]*$ ]] || refuse "\"$keymap\" cannot be a keymap: it looks like de-latin1"
  [[ -n $(find "$ROOT/usr/share/kbd/keymaps" -name "$keymap.map*" -print -quit 2>/dev/null) ]] ||
    refuse "there is no keymap \"$keymap\": localectl list-keymaps lists them"
  write_keymap "$keymap"
}

write_keymap() {
  local file=$ROOT/etc/vconsole.conf
  {
    grep -sv '^KEYMAP=' "$file" || true
    printf 'KEYMAP=%s\n' "$1"
  } | write_file "$file" 0644
  # A systemd that is built without it leaves the console to others.
  if [[ -n $ROOT || $(systemctl show -P LoadState systemd-vconsole-setup.service) != loaded ]]; then return; fi
  systemctl --no-block try-restart systemd-vconsole-setup.service
}

# New ones are made beside the old ones first: a machine never has half of them. An RSA key would take half a minute where
# the processor is emulated, and delay every first boot: sshd's own unit makes it when sshd is first started.
renew_host_keys() {
  local directory=$ROOT/etc/ssh new kind
  if ! command -v ssh-keygen >/dev/null; then return; fi
  mkdir -p "$directory"
  find "$directory" -maxdepth 1 -name '.host-keys.*' -exec rm -rf {} +
  new=$(mktemp -d -- "$directory/.host-keys.XXXXXX")
  for kind in ed25519 ecdsa; do ssh-keygen -q -t "$kind" -N "" -f "$new/ssh_host_${kind}_key" >&2; done
  rm -f -- "$directory"/ssh_host_*
  mv -- "$new"/ssh_host_* "$directory/"
  rm -rf -- "$new"
}
