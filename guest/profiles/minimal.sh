#!/usr/bin/env bash
# Profile minimal: a console, a network, ssh. Everything it needs is in the base install, so there is nothing to do here.
#
# What every profile may assume
# - It is run once by `finish.sh profile`, as root, with no input, in the installed and booted system: systemd runs, the
#   network is up, the mirror answers, and the time limit of the step counts.
# - VMS_PAYLOAD is the folder of the scripts. `source "$VMS_PAYLOAD/lib.sh"` and then `guard_errors` give die, say and
#   progress; `source "$VMS_PAYLOAD/packages.sh"` gives `install_packages NAME...`, which uses the host's package caches.
# - VMS_PROFILE, VMS_PACKAGES, VMS_MIRROR and VMS_RECIPE say what is being made.
#
# What it must do
# - Install packages only by install_packages, and end with a status other than 0 where something fails, after
#   `die "what was wrong and what to do"`.
# - Stay free of any one VM: no users, no passwords, no host name, no keys. What users need goes to /etc/skel or /etc.
#   The image is shared by all VMs of the recipe, and users are made at their first boot.
# - Enable services for the next boot, and leave none failed now: the step `check` looks.
# - Do the same again when it is run again.

set -euo pipefail

# shellcheck source=guest/lib.sh
source "$VMS_PAYLOAD/lib.sh"
guard_errors

say "minimal: nothing beyond the base packages"
