#!/bin/bash
# The kernel: Debian's, with only the modules the list names and what they need, under $work/kernel.
set -euo pipefail
# shellcheck source=test/stand-in/lib/common.sh
source "$here/lib/common.sh"
PATH=$PATH:/usr/sbin:/sbin

package=$(apt-cache depends linux-image-amd64 | awk '$1 == "Depends:" { print $2; exit }')
[[ $package == linux-image-* ]] || die 'apt knows no linux-image-amd64'
cd "$cache/debs"
apt-get -q -o APT::Sandbox::User=root download "$package"
deb=$(find . -name "$package"_'*.deb' -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2)

mkdir -p "$work/kernel.full/usr" "$work/kernel"
cd "$work/kernel.full"
dpkg-deb --fsys-tarfile "$OLDPWD/$deb" | tar -x --exclude=./usr/share
mv lib usr/lib
ln -s usr/lib lib
version=$(ls usr/lib/modules)
depmod -b . "$version"

# Names to files, with everything they depend on: modules.dep lists the whole closure of each.
modules=usr/lib/modules/$version
data_lines "$here/data/kernel-modules.list" | awk '{ for (i = 1; i <= NF; i++) if ($i != "boot") print $i }' |
  awk -v modules="$modules" '
    function name(path) { sub(/.*\//, "", path); sub(/\.ko.*/, "", path); gsub(/-/, "_", path); return path }
    BEGIN {
      while ((getline line < (modules "/modules.dep")) > 0) { split(line, half, ":"); needs[name(half[1])] = half[1] half[2] }
      while ((getline line < (modules "/modules.builtin")) > 0) builtin[name(line)] = 1
    }
    { gsub(/-/, "_") }
    $0 in needs { count = split(needs[$0], list, " "); for (i = 1; i <= count; i++) print list[i]; next }
    !($0 in builtin) { print "the kernel has no module " $0 > "/dev/stderr"; failed = 1 }
    END { exit failed }' | sort -u >"$work/kernel.files"

mkdir -p "$work/kernel/$modules"
tar -C "$modules" -cf - -T "$work/kernel.files" modules.builtin modules.builtin.modinfo modules.order |
  tar -C "$work/kernel/$modules" -xf -
ln -s usr/lib "$work/kernel/lib"
depmod -b "$work/kernel" "$version"
rm "$work/kernel/lib"
cp boot/vmlinuz-* "$work/kernel/$modules/vmlinuz"
echo linux >"$work/kernel/$modules/pkgbase"
data_lines "$here/data/kernel-modules.list" |
  awk '$1 == "boot" { for (i = 2; i <= NF; i++) print $i "?" }' >"$work/kernel/$modules/boot-modules"
rm -rf "$work/kernel.full"
# Its version is what pacman shows: "6.1.0-9-amd64" of Debian becomes 6.1.0.9.amd64-1.
echo "${version//-/.}-1" >"$work/kernel.version"
