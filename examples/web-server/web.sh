#!/usr/bin/env bash
# nginx, which serves /srv/http.
# vms-base: minimal

set -euo pipefail

# shellcheck source=guest/lib.sh
source "$VMS_PAYLOAD/lib.sh"
guard_errors
# shellcheck source=guest/packages.sh
source "$VMS_PAYLOAD/packages.sh"

install_packages nginx
sed -i 's|root  */usr/share/nginx/html;|root /srv/http;|' /etc/nginx/nginx.conf
systemctl enable nginx.service
