#!/usr/bin/env bash
# Prints the directory to put first on PATH so that `pulumi` and its Node language host run.
#
# In this order: what is on PATH, what an earlier run put into the cache, the official release, a build from the pinned
# Go modules beside this script. What it does is said on stderr, a line a stage.
#
#   ensure.sh           prints the directory
#   ensure.sh --find    the same where nothing has to be made for it; else status 1
#
# Assumes Linux, flock, tar, sha256sum and install; curl or wget for the release, Go 1.21 or later for the build (which
# fetches a newer Go by itself where the modules need one).
#
# VMS_CACHE            where to keep it, instead of $XDG_CACHE_HOME or ~/.cache
# VMS_GO               the Go to build with, instead of the one on PATH or in /usr/local/go
# VMS_PULUMI_RELEASES  where the release archives are, instead of the official place (a mirror in a company, say)
set -euo pipefail

version=3.259.0
programs=(pulumi pulumi-language-nodejs pulumi-resource-pulumi-nodejs)
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
releases=${VMS_PULUMI_RELEASES:-https://get.pulumi.com/releases/sdk}
work=
child=

say() { printf '%s\n' "$*" >&2; }

die() {
  say "error: $*"
  exit 1
}

clean_up() { [[ -z $work ]] || rm -rf -- "$work"; }
stop() {
  [[ -z $child ]] || kill "$child" 2>/dev/null || true
  exit "$1"
}
trap clean_up EXIT
trap 'stop 130' INT
trap 'stop 143' TERM

# Runs a program that may take long; bash would not look at a signal before it has ended.
stoppable() {
  local status=0
  "$@" &
  child=$!
  wait "$child" || status=$?
  child=
  return "$status"
}

complete_on_path() {
  local program
  for program in "${programs[@]}"; do command -v "$program" >/dev/null || return 1; done
}

complete_in() {
  local program
  for program in "${programs[@]}"; do [[ -x $1/$program ]] || return 1; done
}

cache_root() {
  local base=${VMS_CACHE:-${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}}
  [[ -n $base ]] || die "there is no HOME to keep the pulumi CLI in: set VMS_CACHE to a directory"
  printf '%s/pulumi-vms/pulumi\n' "$base"
}

# A change of anything that goes into the programs is another key.
cache_key() {
  local sums
  sums=$(cd "$here" && sha256sum go.mod go.sum language-host/go.mod language-host/go.sum)
  sums=$(printf '%s %s\n%s\n' "$version" "$(uname -m)" "$sums" | sha256sum)
  printf 'v%s-%s\n' "$version" "${sums:0:16}"
}

# download URL FILE: gives up within seconds where the server cannot be reached or goes silent.
download() {
  if command -v curl >/dev/null; then
    stoppable curl --fail --silent --location --connect-timeout 5 --speed-limit 1024 --speed-time 20 --output "$2" -- "$1"
  elif command -v wget >/dev/null; then
    stoppable wget --quiet --tries=1 --connect-timeout=5 --dns-timeout=5 --read-timeout=20 --output-document="$2" -- "$1"
  else
    return 1
  fi
}

# fetch_release DIRECTORY: status 1 where the release cannot be had; a wrong checksum is an error. It is called in a
# condition, where bash ignores `set -e`: so each command here says for itself what happens when it fails.
fetch_release() {
  local machine archive wanted found
  case $(uname -m) in
    x86_64) machine=x64 ;;
    aarch64) machine=arm64 ;;
    *) return 1 ;;
  esac
  archive=pulumi-v$version-linux-$machine.tar.gz
  download "$releases/pulumi-$version-checksums.txt" "$work/checksums.txt" || return 1
  wanted=$(awk -v name="$archive" '$2 == name { print $1; exit }' "$work/checksums.txt")
  # Anything else is a page of something in between, such as a network that asks for a login first.
  [[ $wanted =~ ^[0-9a-f]{64}$ ]] || return 1
  say "Fetching the pulumi CLI $version (about 100 MB)"
  download "$releases/$archive" "$work/$archive" || return 1
  found=$(sha256sum "$work/$archive")
  found=${found%% *}
  [[ $found == "$wanted" ]] || die "$releases/$archive has the SHA-256 $found, but $wanted was published: nothing of it was used"
  mkdir "$work/release" || die "$work cannot be written"
  tar -xzf "$work/$archive" -C "$work/release" --strip-components=1 || die "$releases/$archive cannot be unpacked"
  local program
  for program in "${programs[@]}"; do
    [[ -f $work/release/$program ]] || die "$releases/$archive holds no $program"
    install -m 755 "$work/release/$program" "$1/$program" || die "$1/$program cannot be written"
  done
}

find_go() {
  local go=${VMS_GO:-}
  [[ -n $go ]] || go=$(command -v go || true)
  [[ -n $go ]] || go=/usr/local/go/bin/go
  [[ -x $go ]] || die "the pulumi CLI is not installed, its release cannot be fetched from $releases, and there is no Go to build it with.
Install one of the two and run this again: https://www.pulumi.com/docs/install/ or https://go.dev/doc/install"
  local found
  found=$("$go" env GOVERSION)
  [[ $found =~ ^go1\.([0-9]+) ]] || die "$go says it is \"$found\", which is no version of Go that is known"
  ((BASH_REMATCH[1] >= 21)) || die "$go is $found: building the pulumi CLI takes Go 1.21 or later (https://go.dev/doc/install)"
  printf '%s\n' "$go"
}

# build_from_modules DIRECTORY: go.sum pins every source.
build_from_modules() {
  local go sdk
  go=$(find_go)
  # A user's own Go settings must not change what is built.
  export GOFLAGS=-mod=readonly GOWORK=off CGO_ENABLED=0
  say "Building the pulumi CLI $version from its Go modules (once, about three minutes)"
  stoppable "$go" build -C "$here" -trimpath -o "$1/pulumi" \
    -ldflags "-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v$version" \
    github.com/pulumi/pulumi/pkg/v3/cmd/pulumi >&2
  say "Building its Node language host"
  stoppable "$go" build -C "$here/language-host" -trimpath -o "$1/pulumi-language-nodejs" -ldflags "-s -w" \
    github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs >&2
  sdk=$("$go" list -C "$here" -m -f '{{.Dir}}' github.com/pulumi/pulumi/sdk/v3)
  install -m 755 "$sdk/nodejs/dist/pulumi-resource-pulumi-nodejs" "$1/"
}

fill_cache() {
  local root=$1 key=$2
  # What a killed run left behind; nobody else can be at work under the lock.
  rm -rf -- "$root"/.new-*
  work=$(mktemp -d "$root/.new-XXXXXX")
  mkdir "$work/bin"
  if ! fetch_release "$work/bin"; then
    say "The pulumi CLI's release cannot be fetched from $releases"
    build_from_modules "$work/bin"
  fi
  "$work/bin/pulumi" version >/dev/null || die "the pulumi CLI that was made does not run"
  rm -rf -- "${root:?}/$key"
  mv -T -- "$work/bin" "$root/$key"
}

main() {
  if complete_on_path; then
    dirname -- "$(command -v pulumi)"
    return
  fi
  local root key
  root=$(cache_root)
  key=$(cache_key)
  if ! complete_in "$root/$key"; then
    [[ ${1:-} != --find ]] || return 1
    mkdir -p -- "$root"
    exec 9>"$root/lock"
    if ! flock --nonblock 9; then
      say "Another process is making the pulumi CLI ready: waiting for it"
      flock 9
    fi
    complete_in "$root/$key" || fill_cache "$root" "$key"
  fi
  printf '%s/%s\n' "$root" "$key"
}

main "$@"
