# shellcheck shell=bash
# The root file system as large as the disk. Works while it is mounted, takes up where an earlier run was cut off, and does
# nothing where there is nothing to gain.

# Less than this between the partition and the disk's end is alignment and the second partition table.
readonly SPARE_SECTORS=8192

grow_root() {
  local partition device
  if [[ -n $ROOT ]]; then return; fi
  partition=$(readlink -f "$(findmnt -no SOURCE /)")
  device=/sys/class/block/${partition##*/}
  # A root that is not an ext4 on a partition is not ours to grow.
  if [[ $(findmnt -no FSTYPE /) != ext4 || ! -e $device/partition ]]; then return; fi
  grow_partition "$device"
  grow_file_system "$partition" "$device"
}

# Sizes in /sys are in sectors of 512 bytes, whatever the disk's own are.
grow_partition() {
  local device=$1 disk number end said
  disk=$(readlink -f "$device/..")
  number=$(<"$device/partition")
  end=$(($(<"$device/start") + $(<"$device/size")))
  if (($(<"$disk/size") - end < SPARE_SECTORS)) || ! is_last_partition "$disk" "$end"; then return; fi
  # The kernel is told by partx: reading the whole table again is refused while a partition is mounted, and sfdisk says so.
  said=$(printf ', +\n' | sfdisk --quiet --no-reread --force --partno "$number" "/dev/${disk##*/}" 2>&1) || refuse "sfdisk: $said"
  partx --update --nr "$number" "/dev/${disk##*/}"
  printf 'vms identity: the root partition grew from %d to %d sectors\n' "$((end - $(<"$device/start")))" "$(<"$device/size")"
}

is_last_partition() {
  local start
  for start in "$1"/*/start; do
    (($(<"$start") < $2)) || return 1
  done
}

grow_file_system() {
  local partition=$1 device=$2 size
  size=$(dumpe2fs -h "$partition" 2>/dev/null | awk -F: '$1 == "Block count" { n = $2 } $1 == "Block size" { b = $2 } END { printf "%.0f", n * b }')
  if (($(<"$device/size") * 512 - size >= SPARE_SECTORS * 512)); then
    resize2fs "$partition" 2>&1
  fi
}
