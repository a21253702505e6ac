#!/bin/bash
# The kernel: Debian's, with only the modules the list names and what they need, under $WORK/kernel.
set -euo pipefail
# shellcheck source=/dev/null
source "$HERE/lib/common.sh"
PATH=$PATH:/usr/sbin:/sbin

package=$(apt-cache depends linux-image-amd64 | awk '$1 == "Depends:" { print $2; exit }')
[[ $package == linux-image-* ]] || die 'apt knows no linux-image-amd64'
cd "$CACHE/debs"
apt-get -q -o APT::Sandbox::User=root download "$package"
deb=$(find . -name "$package"_'*.deb' -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2)

mkdir -p "$WORK/kernel.full/usr" "$WORK/kernel"
cd "$WORK/kernel.full"
dpkg-deb --fsys-tarfile "$OLDPWD/$deb" | tar -x --exclude=./usr/share
mv lib usr/lib
ln -s usr/lib lib
version=$(ls usr/lib/modules)
depmod -b . "$version"

# Names to files, with everything they depend on: modules.dep lists the whole closure of each.
modules=usr/lib/modules/$version
data_lines "$HERE/data/kernel-modules.list" | awk '{ for (i = 1; i <= NF; i++) if ($i != "boot") print $i }' |
  awk -v modules="$modules" '
    function name(path) { sub(/.*\//, "", path); sub(/\.ko.*/, "", path); gsub(/-/, "_", path); return path }
    BEGIN {
      while ((getline line < (modules "/modules.dep")) > 0) {
        split(line, half, ":"); needs[name(half[1])] = half[1] half[2]
      }
      while ((getline line < (modules "/modules.builtin")) > 0) builtin[name(line)] = 1
    }
    { gsub(/-/, "_") }
    $0 in needs { count = split(needs[$0], list, " "); for (i = 1; i <= count; i++) print list[i]; next }
    !($0 in builtin) { print "the kernel has no module " $0 > "/dev/stderr"; failed = 1 }
    END { exit failed }' | sort -u >"$WORK/kernel.files"

mkdir -p "$WORK/kernel/$modules"
tar -C "$modules" -cf - -T "$WORK/kernel.files" modules.builtin modules.builtin.modinfo modules.order |
  tar -C "$WORK/kernel/$modules" -xf -
ln -s usr/lib "$WORK/kernel/lib"
depmod -b "$WORK/kernel" "$version"
rm "$WORK/kernel/lib"
cp boot/vmlinuz-* "$WORK/kernel/$modules/vmlinuz"
echo linux >"$WORK/kernel/$modules/pkgbase"
data_lines "$HERE/data/kernel-modules.list" |
  awk '$1 == "boot" { for (i = 2; i <= NF; i++) print $i "?" }' >"$WORK/kernel/$modules/boot-modules"
rm -rf "$WORK/kernel.full"
# Its version is what pacman shows: "6.1.0-9-amd64" of Debian becomes 6.1.0.9.amd64-1.
echo "${version//-/.}-1" >"$WORK/kernel.version"
