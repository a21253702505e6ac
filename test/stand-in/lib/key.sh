#!/bin/bash
# The key that signs packages and the ISO: made new for each plain build, taken over by an extended one.
set -euo pipefail
# shellcheck source=test/stand-in/lib/common.sh
source "$here/lib/common.sh"

if [[ $base ]]; then
  cp -a "$base/.private/gnupg" "$work/gnupg"
else
  install -d -m 700 "$work/gnupg"
  own_gpg --passphrase '' --quick-generate-key 'Arch stand-in (test only) <stand-in@example.org>' ed25519 sign never
fi
gpgconf --homedir "$work/gnupg" --kill gpg-agent
own_gpg --export >"$work/keyring.gpg"
own_gpg --armor --export >"$work/signing-key.asc"
own_gpg --with-colons --list-keys | awk -F: '$1 == "fpr" { print $10 ":4:"; exit }' >"$work/keyring-trusted"
