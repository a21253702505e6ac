# shellcheck shell=bash
# Installing packages with the host's caches, a count of what is done, and a reason when it fails.
# Sourced after lib.sh and load_recipe, in the live system and in the installed one.
#
# pacman writes to a cache on the disk that is being installed, and looks in the host's two as well. What it had to
# download is put into the shared cache afterwards, each file by a rename: a guest that dies in the middle of a download,
# and two that load the same package at once, never leave half a file there, whatever version of pacman runs.

USE_HOST_CACHES=true
CACHE_MOUNTS=/run/vms-cache
readonly PACMAN_CONFIG=/run/vms-pacman.conf PACMAN_LOG=/run/vms-pacman.log

# Mounts the host's caches, where the machine has them: `shared` to take from and give to, `host` only to take from.
mount_package_caches() {
  modprobe -qa 9p 9pnet_virtio || true
  mount_share vms-pkg-shared "$CACHE_MOUNTS/shared" rw
  mount_share vms-pkg-cache "$CACHE_MOUNTS/host" ro
}

mount_share() {
  local tag=$1 directory=$2 mode=$3
  if has_share "$tag" && ! mountpoint -q "$directory"; then
    mkdir -p "$directory"
    mount -t 9p -o "trans=virtio,version=9p2000.L,msize=262144,$mode" "$tag" "$directory"
    say "packages of the host: $directory"
  fi
}

has_share() {
  local file tag
  for file in /sys/bus/virtio/drivers/9pnet_virtio/*/mount_tag; do
    [[ -r $file ]] || continue
    tag=$(tr -d '\0' <"$file")
    [[ $tag == "$1" ]] && return 0
  done
  return 1
}

unmount_package_caches() {
  local directory
  for directory in "$CACHE_MOUNTS"/*; do
    if mountpoint -q "$directory"; then umount "$directory"; fi
  done
}

# write_pacman_config CACHE: the system's own configuration, signature checks and all, with our caches.
# CACHE is a directory that pacman may write to.
write_pacman_config() {
  mkdir -p "$1"
  {
    printf '[options]\nCacheDir = %s/\n' "$1"
    local directory
    for directory in "$CACHE_MOUNTS"/shared "$CACHE_MOUNTS"/host; do
      if [[ $USE_HOST_CACHES == true ]] && mountpoint -q "$directory"; then printf 'CacheDir = %s/\n' "$directory"; fi
    done
    printf 'ParallelDownloads = 5\nCheckSpace\n'
    sed -E '/^[[:space:]]*(CacheDir|ParallelDownloads)[[:space:]]*=/d; /^[[:space:]]*(CheckSpace|VerbosePkgLists|Color)[[:space:]]*$/d' \
      /etc/pacman.conf
  } >"$PACMAN_CONFIG"
  PACKAGE_CACHE=$1
}

# run_pacman COMMAND...: pacman or pacstrap, with progress; dies with the reason where it fails.
run_pacman() {
  try_pacman "$@" || go_without_caches "$@"
}

# After a failure: a damaged file in a cache that cannot be written to would be in the way for ever.
go_without_caches() {
  if grep -q "File $CACHE_MOUNTS/.* is corrupted" "$PACMAN_LOG"; then
    say "the host's caches hold packages that are not what the mirror signed: once more without the caches"
    USE_HOST_CACHES=false
    write_pacman_config "$PACKAGE_CACHE"
    if try_pacman "$@"; then return; fi
  fi
  die "$(explain_pacman "$PACMAN_LOG")"
}

# Like run_pacman, but a failure is left to the caller, with what was said in PACMAN_LOG.
try_pacman() {
  local status=0
  log_pacman "$@" || status=1
  share_new_packages
  return "$status"
}

log_pacman() {
  "$@" 2>&1 | tee "$PACMAN_LOG" | report_packages
}

# Passes pacman's lines on, and a progress line with each package. Without a terminal pacman prints one line for each.
report_packages() {
  local line total=0 count=0 word
  while IFS= read -r line || [[ -n $line ]]; do
    printf '%s\n' "$line"
    case $line in
      'Package ('* | 'Packages ('*)
        total=${line#*\(}
        total=${total%%\)*}
        [[ $total =~ ^[0-9]+$ ]] || total=0
        ;;
      ' '*' downloading...')
        line=${line# }
        progress "$count" "$total" "downloading ${line%% *}"
        ;;
      'installing '*'...' | 'upgrading '*'...' | 'reinstalling '*'...')
        count=$((count + 1))
        word=${line%...}
        progress "$count" "$((total > count ? total : count))" "${word#* }"
        ;;
    esac
  done
}

# Copies what pacman downloaded into the shared cache and empties its own. A cache that takes nothing is no failure.
# Few programs for many files: starting one is slow where the processor is emulated.
share_new_packages() {
  local file new=() shared=$CACHE_MOUNTS/shared incoming
  for file in "$PACKAGE_CACHE"/*.pkg.tar*; do
    if [[ -f $file && $file != *.part && ! -e $shared/${file##*/} ]]; then new+=("$file"); fi
  done
  if ((${#new[@]} > 0)) && mountpoint -q "$shared"; then
    incoming=$shared/.incoming.$(cat /proc/sys/kernel/random/uuid)
    if ! { mkdir "$incoming" && cp -- "${new[@]}" "$incoming/" && mv -- "$incoming"/* "$shared/"; }; then
      say "the shared package cache does not take the new packages"
    fi
    # With what a guest left that died on the way.
    find "$shared" -maxdepth 1 \( -path "$incoming" -o -name '.incoming.*' -mmin +1440 \) -exec rm -rf {} + ||
      say "the shared package cache cannot be cleaned"
  fi
  find "$PACKAGE_CACHE" -mindepth 1 -delete
}

# Prints what went wrong, from pacman's own lines, and what to do.
explain_pacman() {
  local log=$1 names line
  names=$(sed -n 's/^error: target not found: //p' "$log" | sort -u | paste -sd ' ')
  if [[ -n $names ]]; then
    printf 'target not found: %s: no repository of the mirror has a package of that name; correct "packages"' "$names"
  elif line=$(grep -m 1 -iE 'not enough free disk space|no space left on device' "$log"); then
    printf 'the disk is full: %s; the packages need more room than the image has' "${line#error: }"
  elif line=$(grep -m 1 -iE 'unknown trust|marginal trust|invalid or corrupted|signature from|missing required signature|key .* could not be' "$log"); then
    printf 'a signature does not hold: %s; the keyring may be too old for the mirror: use a newer ISO' "${line#error: }"
  elif line=$(grep -m 1 -E '^error: failed retrieving file' "$log"); then
    printf 'the mirror failed: %s; try again, or give another in "mirror"' "${line#error: }"
  elif line=$(grep -E '^(==> ERROR|error): ' "$log" | grep -v 'Failed to install packages to new root' | tail -n 1); then
    printf 'pacman failed: %s' "${line#*: }"
  else
    printf 'pacman failed: %s' "$(grep -v '^[[:space:]]*$' "$log" | tail -n 1)"
  fi
}

# refuse_unknown_packages ROOT NAME...: dies where the databases under ROOT lack one, before anything is downloaded.
refuse_unknown_packages() {
  local root=$1
  shift
  pacman --root "$root" --config "$PACMAN_CONFIG" -Sp --print-format %n -- "$@" >"$PACMAN_LOG" 2>&1 ||
    die "$(explain_pacman "$PACMAN_LOG")"
}

# install_packages NAME...: for profiles. Takes the package databases of the install, so that nothing is upgraded in
# part; only where the mirror has moved on since then everything is brought up to date.
install_packages() {
  (($# > 0)) || return 0
  local install=(pacman --config "$PACMAN_CONFIG" --needed --noconfirm)
  write_pacman_config /var/cache/pacman/pkg
  refuse_unknown_packages / "$@"
  if try_pacman "${install[@]}" -S -- "$@"; then return; fi
  if grep -q 'failed retrieving file' "$PACMAN_LOG"; then
    run_pacman "${install[@]}" -Syu -- "$@"
  else
    go_without_caches "${install[@]}" -S -- "$@"
  fi
}
