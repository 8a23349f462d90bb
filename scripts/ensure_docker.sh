#!/bin/bash
# Makes sure that a container engine answers and that the image mlebench-agent is there; says what it does.
#     scripts/ensure_docker.sh [--trixie]      with --trixie also the base image mlebench-base:trixie (Python 3.13)
# An engine that answers is used as it is. Otherwise, as root on Debian, one is installed from Debian's packages and
# started in a session of its own; its pid is in $cache/dockerd.pid, its log in $cache/dockerd.log.
# The base image (BASE_IMAGE, by default one made here of Debian packages, no registry needed) is kept as a tarball
# in $cache, outside of the checkout. A second run finds everything and takes a second.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
cache=${MLEBENCH_CI_CACHE:-${HOME:-/root}/.cache/mlebench-ci}
base=${BASE_IMAGE:-mlebench-base:bookworm}
mkdir -p "$cache"

say() { echo "ensure_docker: $*"; }

engine_answers() { docker info >/dev/null 2>&1; }

install_packages() {
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        say "$* missing; install it, or run this as root on Debian" >&2
        exit 1
    fi
    say "installing $*"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >"$cache/apt.log" 2>&1 \
        || { tail -20 "$cache/apt.log" >&2; exit 1; }
}

start_engine() {
    command -v dockerd >/dev/null && command -v iptables >/dev/null || install_packages docker.io iptables
    if [ "$(id -u)" != 0 ]; then
        say "no engine answers; start one, or run this as root" >&2
        exit 1
    fi
    say "starting dockerd (log: $cache/dockerd.log)"
    setsid dockerd >"$cache/dockerd.log" 2>&1 </dev/null &
    echo $! >"$cache/dockerd.pid"
    for _ in $(seq 60); do
        if engine_answers; then return; fi
        sleep 1
    done
    say "dockerd does not answer after 60 seconds:" >&2
    tail -20 "$cache/dockerd.log" >&2
    exit 1
}

# make_base RELEASE PACKAGES: mlebench-base:RELEASE from Debian's packages, kept as a tarball in $cache.
make_base() {
    local release=$1 tarball="$cache/$1-base.tar" root
    if docker image inspect "mlebench-base:$release" >/dev/null 2>&1; then
        say "the base image mlebench-base:$release is there"
        return
    fi
    if [ ! -f "$tarball" ]; then
        command -v debootstrap >/dev/null || install_packages debootstrap
        say "making the base system of $release with debootstrap (about a minute)"
        root=$(mktemp -d "$cache/root.XXXXXX")
        debootstrap --variant=minbase --include="$2" "$release" "$root" >"$cache/debootstrap-$release.log" 2>&1 \
            || { tail -20 "$cache/debootstrap-$release.log" >&2; rm -rf "$root"; exit 1; }
        tar -C "$root" -c . >"$tarball.partial"
        mv "$tarball.partial" "$tarball"
        rm -rf "$root"
    fi
    say "importing $tarball as mlebench-base:$release"
    docker import "$tarball" "mlebench-base:$release" >/dev/null
}

if engine_answers; then
    say "an engine answers: $(docker info --format '{{.ServerVersion}}')"
else
    start_engine
    say "the engine runs: $(docker info --format '{{.ServerVersion}}')"
fi
packages=python3,python3-venv,python3-pip,ca-certificates,curl
if docker image inspect "$base" >/dev/null 2>&1; then
    say "the base image $base is there"
elif [ "$base" = mlebench-base:bookworm ]; then
    make_base bookworm "$packages"
else
    say "pulling $base"
    docker pull "$base"
fi
# For agents that need Python 3.13 (scripts/build_agents.sh); Git, because some of them are installed from repositories.
if [ "${1:-}" = --trixie ]; then make_base trixie "$packages,git"; fi
# Package installs in the build go through the host's network: it may be the only one with a way out.
make -C "$here" --no-print-directory image BASE_IMAGE="$base" NETWORK="${MLEBENCH_BUILD_NETWORK:-host}"
