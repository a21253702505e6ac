#!/usr/bin/env bash
# `npm run bench`: a table of how long things take on this host. No VM is started.
#
# Assumes a host that `vms bootstrap` made ready, and root or a member of the libvirt group.
set -euo pipefail

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
# shellcheck source=tools/setup.sh
source tools/setup.sh
set_up_checkout
cli=$(tools/pulumi-cli/ensure.sh)
PATH=$cli:$PATH exec node dist/test/bench/bench.js "$@"
