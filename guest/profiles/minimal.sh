#!/usr/bin/env bash
# Profile minimal: a console, a network, ssh. Everything it needs is in the base install, so there is nothing to do here.
# What every profile may assume and must do: docs/profiles.md.

set -euo pipefail

# shellcheck source=guest/lib.sh
source "$VMS_PAYLOAD/lib.sh"
guard_errors

say "minimal: nothing beyond the base packages"
