# shellcheck shell=bash
# Which settings are taken when. What the host said of each the last time is kept in $TAKEN, in the form of credentials: so a
# setting that the host says nothing new of stays as it is, also where it was changed by hand.
#
# Their revision is NUMBER.HASH. A machine that is restarted from inside still has the credentials that its power-on gave it, also
# where newer ones were applied since: so what bears a lower number than the revision taken is of no account.

readonly SETTINGS=(hostname timezone locale keymap user authorized_keys)
# The settings that this run has changed, or tried to.
TOUCHED=()

# parts_of SETTING: the credentials that it is made of.
parts_of() {
  if [[ $1 == user ]]; then printf 'user\nsudo\n'; else printf '%s\n' "$1"; fi
}

# Whether the credentials are for this machine. A disk that somebody else started keeps what it has.
is_meant_for() {
  local meant
  has_credential instance || return 1
  meant=$(read_credential instance) || meant=""
  if [[ ${meant,,} == "$1" ]]; then return; fi
  if [[ ${REASONS[*]} != *vms.instance:* ]]; then
    REASONS+=("vms.instance: the identity is for the machine \"$meant\", not for this one")
  fi
  return 1
}

has_news() {
  local now="" before=0
  if has_credential revision; then now=$(read_credential revision) || now=""; fi
  if [[ -e $RECORDS/revision ]]; then before=$(<"$RECORDS/revision"); fi
  if [[ $now =~ ^[0-9]{1,15}\.[0-9a-f]+$ ]]; then
    if ((10#${now%%.*} < 10#${before%%.*})); then return 1; fi
    if [[ $now != "$before" ]]; then return; fi
  fi
  [[ -e $RECORDS/failed ]]
}

# settle SETTING...: takes each as the host says, or puts it back to its default where the host no longer says anything.
settle() {
  local name
  for name in "$@"; do
    TOUCHED+=("$name")
    attempt "vms.$name" settle_one "$name"
  done
}

settle_changed() {
  local name changed=()
  for name in "${SETTINGS[@]}"; do
    if ! was_taken "$name"; then changed+=("$name"); fi
  done
  settle "${changed[@]}"
}

settle_one() {
  local name=$1 value part
  if has_credential "$name"; then
    value=$(read_credential "$name")
    "set_$name" "$value"
  elif [[ -e $TAKEN/vms.$name ]]; then
    "reset_$name"
  fi
  for part in $(parts_of "$name"); do
    if has_credential "$part"; then
      write_file "$TAKEN/vms.$part" 0644 <"$CREDENTIALS/vms.$part"
    else
      rm -f -- "$TAKEN/vms.$part"
    fi
  done
}

was_taken() {
  local part
  for part in $(parts_of "$1"); do
    if has_credential "$part"; then
      cmp -s "$CREDENTIALS/vms.$part" "$TAKEN/vms.$part" || return 1
    elif [[ -e $TAKEN/vms.$part ]]; then
      return 1
    fi
  done
}

took_all() {
  local reason
  for reason in "${REASONS[@]}"; do
    if [[ $reason == vms.* ]]; then return 1; fi
  done
}

record_revision() {
  if has_credential revision; then read_credential revision | write_file "$RECORDS/revision" 0644; fi
}

# receive_settings DIRECTORY: what comes on stdin, as credentials.
receive_settings() {
  local line name
  rm -rf -- "$1"
  mkdir -m 700 -- "$1"
  while IFS= read -r line; do
    name=${line%%=*}
    [[ $name =~ ^vms\.[a-z_]+$ ]] || refuse "error: \"$name\" is not the name of a setting"
    base64 --decode <<<"${line#*=}" >"$1/$name"
  done
}

# keep_taken DIRECTORY: what was taken until now, as credentials.
keep_taken() {
  rm -rf -- "$1"
  mkdir -p -- "$TAKEN"
  cp -a -- "$TAKEN" "$1"
}

# Whether the last boot failed in something that is no setting.
has_other_failures() {
  grep -qsE '[:;] (machine-id|ssh host keys|record|root file system|vms\.instance): ' "$RECORDS/failed"
}
