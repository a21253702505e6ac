#!/bin/bash
# The key that signs packages and the ISO: made new for each plain build, taken over by an extended one.
set -euo pipefail
# shellcheck source=/dev/null
source "$HERE/lib/common.sh"

if [[ $BASE ]]; then
  cp -a "$BASE/.private/gnupg" "$WORK/gnupg"
else
  install -d -m 700 "$WORK/gnupg"
  own_gpg --passphrase '' --quick-generate-key 'Arch stand-in (test only) <stand-in@example.org>' ed25519 sign never
fi
gpgconf --homedir "$WORK/gnupg" --kill gpg-agent
own_gpg --export >"$WORK/keyring.gpg"
own_gpg --armor --export >"$WORK/signing-key.asc"
own_gpg --with-colons --list-keys | awk -F: '$1 == "fpr" { print $10 ":4:"; exit }' >"$WORK/keyring-trusted"
