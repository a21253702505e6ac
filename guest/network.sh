# shellcheck shell=bash
# The way to the packages: a route, a mirror that answers, and the mirror list. Sourced after lib.sh and load_recipe.

ROUTE_SECONDS=90
MIRROR_SECONDS=60
# curl's statuses that may pass: name or host not found, no connection, time out, TLS, empty or broken answer.
PASSING_FAILURES=' 5 6 7 18 28 35 52 56 '

wait_for_route() {
  say "waiting for a network route (at most $ROUTE_SECONDS s)"
  wait_until "$ROUTE_SECONDS" has_default_route ||
    die "no network: no default route within $ROUTE_SECONDS s; the links are: $(ip -brief address | tr -s ' \n' ' ,')"
}

has_default_route() {
  [[ -n $(ip route show default) || -n $(ip -6 route show default) ]]
}

# The servers that pacman would ask, in its order, with $repo and $arch still in them.
list_mirrors() {
  if [[ -n $VMS_MIRROR ]]; then
    printf '%s\n' "$VMS_MIRROR"
  else
    sed -n 's/^[[:space:]]*Server[[:space:]]*=[[:space:]]*\([^[:space:]]*\).*/\1/p' /etc/pacman.d/mirrorlist
  fi
}

# Sees that one of the first mirrors serves a package database; else says which was asked and what it answered.
wait_for_mirror() {
  local mirrors=() deadline=$((SECONDS + MIRROR_SECONDS)) mirror
  mapfile -t -n 5 mirrors < <(list_mirrors)
  ((${#mirrors[@]} > 0)) || die "no mirror: the mirror list has no server; give one in \"mirror\""
  say "asking the mirror ${mirrors[0]}"
  while true; do
    PASSING=false
    for mirror in "${mirrors[@]}"; do
      if ask_mirror "$mirror"; then return; fi
    done
    if [[ $PASSING != true ]] || ((SECONDS >= deadline)); then break; fi
    sleep 2
  done
  die "the mirror ${mirrors[0]} does not answer: ${MIRROR_FAILURE} (asked for ${MIRROR_URL}); see that the guest can reach it, or give another in \"mirror\""
}

# Sets MIRROR_URL and MIRROR_FAILURE, and PASSING where it is worth asking again.
ask_mirror() {
  local repository status=0 said
  repository=$(pacman-conf --repo-list | head -n 1)
  MIRROR_URL=${1//\$repo/${repository:-core}}
  MIRROR_URL=${MIRROR_URL//\$arch/$(uname -m)}/${repository:-core}.db
  said=$(curl --silent --show-error --fail --location --connect-timeout 10 --max-time 60 \
    --output /dev/null -- "$MIRROR_URL" 2>&1) || status=$?
  MIRROR_FAILURE=${said##*$'\n'}
  if [[ $PASSING_FAILURES == *" $status "* ]]; then PASSING=true; fi
  return "$status"
}

# write_mirrorlist ROOT: makes the recipe's mirror the only one there; without one, the list stays as it is.
write_mirrorlist() {
  if [[ -n $VMS_MIRROR ]]; then
    printf 'Server = %s\n' "$VMS_MIRROR" >"$1/etc/pacman.d/mirrorlist"
  fi
}
