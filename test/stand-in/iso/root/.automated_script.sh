#!/bin/bash
# Runs the script that the kernel parameter script= names, on the first console only.
set -euo pipefail

[[ $(tty) == /dev/tty1 ]] || exit 0
read -ra words </proc/cmdline
for word in "${words[@]}"; do
  [[ $word != script=* ]] || source=${word#script=}
done
[[ ${source:-} ]] || exit 0
case $source in
  http://* | https://*)
    until curl -fsSL "$source" -o /tmp/startup_script; do sleep 1; done
    ;;
  *) cp "$source" /tmp/startup_script ;;
esac
chmod +x /tmp/startup_script
/tmp/startup_script
