#!/bin/bash
# Makes one pacman package of one line of the plan: unpack the Debian packages, mend, describe, archive, sign.
# Leaves the package with its signature in the repository, and its entry for the database.
set -euo pipefail
# shellcheck source=/dev/null
source "$HERE/lib/common.sh"
# shellcheck source=/dev/null
source "$HERE/lib/fill.sh"

IFS=$'\t' read -r name repository version depends debs <<<"$1"
[[ $name != linux ]] || version=$(<"$WORK/kernel.version")
read -ra depend_list <<<"$depends"
umask 022
stage=$WORK/pack/$name
root=$stage/root
target=$WORK/result/repo/$repository/os/x86_64
archive=$target/$name-$version-x86_64.pkg.tar.zst
mkdir -p "$root" "$target" "$WORK/entries/$repository/$name-$version"

# Arch has one directory for programs and one for libraries. Where a package has the same name in two of Debian's, the
# first is the program and the other a link to it.
[[ $debs == - ]] || for deb in $debs; do
  dpkg-deb --fsys-tarfile "$CACHE/debs/$deb" | tar -x -p --numeric-owner --skip-old-files -C "$root" \
    --exclude-from="$WORK/exclude" --transform='flags=rh;s,^\./\(usr/\)\?s\?bin\($\|/\),./usr/bin\2,' \
    --transform='flags=rh;s,^\./lib\(64\)\?\($\|/\),./usr/lib\2,'
done
[[ ! -d $HERE/files/$name ]] || copy_files "$HERE/files/$name" "$root"
cd "$root"
fill=fill_${name//[-.+]/_}
if declare -F "$fill" >/dev/null; then "$fill"; fi
# Debian keeps the system's locale elsewhere.
[[ ! -d etc/pam.d ]] || find etc/pam.d -type f -exec sed -i 's,/etc/default/locale,/etc/locale.conf,' {} +
find . -xtype l -lname '*bin/*' -printf '%f %l\n' |
  awk '{ name = $2; sub(/.*\//, "", name) } name == $1' >"$stage/loops"
[[ ! -s $stage/loops ]] || die "$name: links to themselves: $(<"$stage/loops")"
# Directories that the exclusions left empty, but those a package ships on purpose stay with files/ and fill.
find usr/share -mindepth 1 -type d -empty -delete 2>/dev/null || :

cd "$stage"
size=$(du -sb --apparent-size root | cut -f1)
{
  printf '%s = %s\n' pkgname "$name" pkgbase "$name" pkgver "$version" pkgdesc "Stand-in for Arch's $name" \
    url https://archlinux.org/ builddate 1704067200 packager 'Arch stand-in (test only)' size "$size" arch x86_64 \
    license custom
  [[ $depends == - ]] || printf 'depend = %s\n' "${depend_list[@]}"
  (cd root && find etc -type f -printf 'backup = %p\n' 2>/dev/null | LC_ALL=C sort) || :
} >.PKGINFO
metadata=(.PKGINFO)
if [[ -f $HERE/install/$name.install ]]; then
  cp "$HERE/install/$name.install" .INSTALL
  metadata+=(.INSTALL)
fi
cd root
mapfile -t entries < <(find . -mindepth 1 -maxdepth 1 -printf '%f\n' | LC_ALL=C sort)
bsdtar -czf ../.MTREE --format=mtree --options='!all,use-set,type,uid,gid,mode,time,size,md5,sha256,link' \
  -C .. "${metadata[@]}" -C root "${entries[@]}"
cd ..
metadata+=(.MTREE)
bsdtar -cf - "${metadata[@]}" -C root "${entries[@]}" | zstd -q -3 -o "$archive"
own_gpg --output "$archive.sig" --detach-sign "$archive"

{
  printf '%%%s%%\n%s\n\n' FILENAME "${archive##*/}" NAME "$name" BASE "$name" VERSION "$version" \
    DESC "Stand-in for Arch's $name" CSIZE "$(stat -c %s "$archive")" ISIZE "$size" \
    SHA256SUM "$(sha256sum "$archive" | cut -d' ' -f1)" PGPSIG "$(base64 -w0 "$archive.sig")" \
    URL https://archlinux.org/ LICENSE custom ARCH x86_64 BUILDDATE 1704067200 PACKAGER 'Arch stand-in (test only)'
  [[ $depends == - ]] || printf '%%DEPENDS%%\n%s\n\n' "${depends// /$'\n'}"
} >"$WORK/entries/$repository/$name-$version/desc"
(echo '%FILES%' && cd root && find . -mindepth 1 \( -type d -printf '%P/\n' -o -printf '%P\n' \) | LC_ALL=C sort) \
  >"$WORK/entries/$repository/$name-$version/files"
cd "$WORK"
rm -rf "$stage"
