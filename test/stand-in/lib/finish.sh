#!/bin/bash
# Signatures, checksums, and the manifest by which a missing file is noticed later.
set -euo pipefail
# shellcheck source=test/stand-in/lib/common.sh
source "$here/lib/common.sh"

cd "$work/result"
own_gpg --output archlinux-x86_64.iso.sig --detach-sign archlinux-x86_64.iso
cp "$work/signing-key.asc" .
# Every mirror lists the ISO under its dated name too.
sum=$(sha256sum archlinux-x86_64.iso | cut -d' ' -f1)
printf '%s  %s\n' "$sum" "archlinux-$(date -u +%Y.%m.%d)-x86_64.iso" "$sum" archlinux-x86_64.iso >sha256sums.txt

# Kept for extended builds: the signing key, the plan, the entries of the databases.
install -d -m 700 .private
gpgconf --homedir "$work/gnupg" --kill gpg-agent
mv "$work/gnupg" "$work/plan" "$work/entries" .private/
chmod -R go+rX,go-w archlinux* sha256sums.txt signing-key.asc repo
chmod 755 .
list_result . >"$work/manifest"
mv "$work/manifest" .manifest
