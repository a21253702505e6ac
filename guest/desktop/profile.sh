# shellcheck shell=sh
# The login on the machine's screen is the desktop. A session that ends is followed by a new login, and so by a new session; where
# it could not even start, the shell stays.
if [ "$(tty)" = /dev/tty1 ] && [ -z "${DISPLAY:-}" ] && /usr/lib/vms/desktop/start; then
  exit
fi
