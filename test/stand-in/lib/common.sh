# shellcheck shell=bash
# What every stage of the stand-in's build shares. Sourced; $WORK is the directory of one build.

say() { echo "stand-in: $*" >&2; }

die() {
  say "$*"
  exit 1
}

# The groups in one order, without doubles, base first: the same set has one key.
normal_groups() {
  local group
  for group in base $(tr ',' '\n' <<<"$1" | { grep -vx base || :; } | sort -u); do
    [[ -f $HERE/groups/$group.list ]] || die "no group \"$group\": there is no list groups/$group.list"
    echo "$group"
  done | paste -sd,
}

# Everything here that changes the result. New versions in Debian's archive do not: they are not worth a rebuild.
build_key() {
  local release group lists=()
  # shellcheck disable=SC1091
  release=$(. /etc/os-release && echo "$ID-$VERSION_ID")
  for group in ${1//,/ }; do lists+=("groups/$group.list"); done
  (
    cd "$HERE" || exit
    echo "$release $1"
    find files iso -type l -printf '%p %l\n' | LC_ALL=C sort
    find build.sh lib data files install iso "${lists[@]}" -type f -perm -u+x | LC_ALL=C sort
    find build.sh lib data files install iso "${lists[@]}" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
  ) | sha256sum | cut -c1-16
}

# Names and sizes of what a finished directory must hold; the same call makes the manifest and checks it.
list_result() {
  (cd "$1" && find . -path ./.private -prune -o -type f ! -name .manifest -printf '%P %s\n' | LC_ALL=C sort)
}

is_complete() {
  [[ -f $1/.manifest ]] || return 1
  cmp -s "$1/.manifest" <(list_result "$1") || {
    say "files are missing or changed, building again: $1"
    return 1
  }
}

# The lines of a data file without comments and blank lines.
data_lines() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$1"; }

# Every stage is a job in a process group of its own, waited for: a signal is acted on at once and reaches all of it.
# Jobs do not have the lock, or a gpg-agent that outlives them would keep it.
declare -A job_pids=()

start_job() {
  setsid "$2" >"$WORK/$1.log" 2>&1 {LOCK}>&- &
  job_pids[$1]=$!
}

# Waits for a job; its log is shown only when it failed.
wait_job() {
  local start=$SECONDS
  if ! wait "${job_pids[$1]}"; then
    grep -v 'faked system time' "$WORK/$1.log" | tail -n 40 >&2
    die "$1 failed"
  fi
  unset "job_pids[$1]"
  say "$1: $((SECONDS - start)) s"
}

stage() {
  start_job "$@"
  wait_job "$1"
}

stop_jobs() {
  local pid
  for pid in "${job_pids[@]}"; do
    kill -- "-$pid" 2>/dev/null || :
    wait "$pid" 2>/dev/null || :
  done
}

# Copies a directory of ours as root's, whatever the umask of the checkout was.
copy_files() {
  mkdir -p "$2"
  tar -C "$1" --owner=0 --group=0 --mode=u=rwX,go=rX -cf - . | tar -C "$2" -xpf -
}

# gpg with the stand-in's own home, at a fixed time: a clock that is set back later must not make a key "from the
# future".
own_gpg() {
  gpg --homedir "$WORK/gnupg" --batch --quiet --yes --no-permission-warning --faked-system-time 20240101T000000 "$@"
}
