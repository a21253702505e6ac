#!/bin/bash
# The key that signs packages and the ISO: one for all builds of this cache, so that a system installed from an older
# one trusts the packages of a newer. An extended build takes the plain build's, whatever became of the cache.
set -euo pipefail
# shellcheck source=/dev/null
source "$HERE/lib/common.sh"

if [[ $BASE ]]; then
  cp -a "$BASE/.private/gnupg" "$WORK/gnupg"
elif [[ -d $CACHE/signing-key ]]; then
  cp -a "$CACHE/signing-key" "$WORK/gnupg"
else
  install -d -m 700 "$WORK/gnupg"
  own_gpg --passphrase '' --quick-generate-key 'Arch stand-in (test only) <stand-in@example.org>' ed25519 sign never
  gpgconf --homedir "$WORK/gnupg" --kill gpg-agent
  cp -a "$WORK/gnupg" "$WORK/signing-key"
  mv -T "$WORK/signing-key" "$CACHE/signing-key"
fi
own_gpg --export >"$WORK/keyring.gpg"
own_gpg --armor --export >"$WORK/signing-key.asc"
own_gpg --with-colons --list-keys | awk -F: '$1 == "fpr" { print $10 ":4:"; exit }' >"$WORK/keyring-trusted"
