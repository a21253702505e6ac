#!/usr/bin/env bash
# Takes the pictures in docs/screenshots anew, by the tests of the profiles: look at them before you commit them.
# Assumes what `npm test` does.
set -euo pipefail

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
VMS_SCREENSHOTS=$PWD/docs/screenshots exec npm run test:profiles
