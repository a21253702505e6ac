# shellcheck shell=bash
# Step profile: the script of each profile, then the packages that the user asked for.

step_profile() {
  wait_for_route
  wait_for_mirror
  mount_package_caches
  local profile
  for profile in "${PROFILES[@]}"; do run_profile "$profile"; done
  install_packages "${EXTRA_PACKAGES[@]}"
  unmount_package_caches
  ask_for_restart
}

# A script of a user's own is run by what its first line names.
run_profile() {
  local name=$1 command=(bash)
  if [[ $name == own-profile ]]; then name=$VMS_OWN_PROFILE command=(); fi
  say "profile $name"
  VMS_PROFILE=$name "${command[@]}" "$(profile_script "$1")" || die "the profile \"$name\" ended with status $?"
}

# What is checked and sealed is to be what the next boot runs: a kernel that was upgraded meanwhile has to be running.
ask_for_restart() {
  if [[ ! -e /usr/lib/modules/$(uname -r)/vmlinuz ]]; then
    say "the kernel was upgraded: another boot is needed"
    say "@vms restart"
  fi
}
