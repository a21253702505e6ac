# shellcheck shell=bash
# Directories of the host that this machine mounts: vms.shares holds a line for each, with tag, type, ro or rw, and place. Their
# units last until the power is off, so one that the host no longer names is gone at the next boot. A boot never fails for one.

# Called at every boot.
mount_shares() {
  local uuid=$1 tag type rights place unit units=()
  has_credential shares || return 0
  is_meant_for "$uuid" || return 0
  while read -r tag type rights place; do
    check_share "$tag" "$type" "$rights" "$place"
    unit=$(systemd-escape --path --suffix=mount "$place")
    share_unit "$tag" "$type" "$rights" "$place" | write_file "$ROOT/run/systemd/system/$unit" 0644
    units+=("$unit")
  done <"$CREDENTIALS/vms.shares"
  if [[ -n $ROOT ]]; then return 0; fi
  systemctl daemon-reload
  systemctl --no-block start -- "${units[@]}"
}

check_share() {
  local tag=$1 type=$2 rights=$3 place=$4
  [[ $tag =~ ^vms-share-[0-9a-f]+$ && $type =~ ^(virtiofs|9p)$ && $rights =~ ^r[ow]$ ]] || refuse "\"$*\" is not a share"
  [[ $place == /?* && $place != *[[:cntrl:]%\"\'\\]* && $place/ != */../* ]] || refuse "\"$place\" cannot be mounted on"
}

# What works in the machine finds it mounted, or knows that it failed, before anyone logs in.
share_unit() {
  local tag=$1 type=$2 rights=$3 place=$4 options
  options=$rights,nodev,nosuid
  if [[ $type == 9p ]]; then options+=,trans=virtio,version=9p2000.L; fi
  cat <<UNIT
[Unit]
Description=$place, shared by the host
DefaultDependencies=no
Conflicts=umount.target
Before=umount.target systemd-user-sessions.service multi-user.target

[Mount]
What=$tag
Where=$place
Type=$type
Options=$options
TimeoutSec=30
UNIT
}
