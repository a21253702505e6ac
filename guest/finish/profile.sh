# shellcheck shell=bash
# Step profile: the profile's script, then the packages that the user asked for.

step_profile() {
  wait_for_route
  wait_for_mirror
  mount_package_caches
  say "profile $VMS_PROFILE"
  bash "$VMS_PAYLOAD/profiles/$VMS_PROFILE.sh" || die "the profile \"$VMS_PROFILE\" ended with status $?"
  install_packages "${EXTRA_PACKAGES[@]}"
  unmount_package_caches
}
