# shellcheck shell=bash
# What the host handed over: files named vms.NAME. A value is data: it is checked, and never evaluated.

has_credential() {
  [[ -e $CREDENTIALS/vms.$1 ]]
}

# Prints the value without the line break at its end. Only authorized_keys may have several lines.
read_credential() {
  local value
  # A NUL cannot be in a variable: as a line break it is refused below.
  value=$(tr '\0' '\n' <"$CREDENTIALS/vms.$1")
  [[ -n $value ]] || refuse "the value is empty"
  if [[ $1 != authorized_keys && $value == *[[:cntrl:]]* ]]; then
    refuse "the value has a line break or another control character in it"
  fi
  printf '%s' "$value"
}

# credential_or NAME DEFAULT
credential_or() {
  if has_credential "$1"; then read_credential "$1"; else printf '%s' "$2"; fi
}
