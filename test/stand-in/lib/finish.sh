#!/bin/bash
# Signatures, checksums, and the manifest by which a missing file is noticed later.
set -euo pipefail
# shellcheck source=/dev/null
source "$HERE/lib/common.sh"

cd "$WORK/result"
own_gpg --output archlinux-x86_64.iso.sig --detach-sign archlinux-x86_64.iso
cp "$WORK/signing-key.asc" .
# Every mirror lists the ISO under its dated name too.
sum=$(sha256sum archlinux-x86_64.iso | cut -d' ' -f1)
printf '%s  %s\n' "$sum" "archlinux-$(date -u +%Y.%m.%d)-x86_64.iso" "$sum" archlinux-x86_64.iso >sha256sums.txt

# Kept for extended builds: the signing key, the plan, the entries of the databases.
install -d -m 700 .private
gpgconf --homedir "$WORK/gnupg" --kill gpg-agent
mv "$WORK/gnupg" "$WORK/plan" "$WORK/entries" .private/
chmod -R go+rX,go-w archlinux* sha256sums.txt signing-key.asc repo
chmod 755 .
list_result . >"$WORK/manifest"
mv "$WORK/manifest" .manifest
