#!/bin/sh
# Builds environment/Dockerfile as the image that agents run in (default tag: mlebench-agent:latest).
#     scripts/build_image.sh [--force] [TAG]
# BASE_IMAGE          the image to start from (default: the Dockerfile's)
# MLEBENCH_BUILD_NETWORK   network mode of the build (for example: host)
# SSL_CERT_FILE, REQUESTS_CA_BUNDLE   a CA bundle that pip needs; copied into a temporary build context only
# PIP_INDEX_URL       passed on to pip when set
# An image that was built from the same files and base is left as it is unless --force is given.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
force=
if [ "${1:-}" = "--force" ]; then force=1; shift; fi
tag=${1:-mlebench-agent:latest}

base_id=
if [ -n "${BASE_IMAGE:-}" ]; then
    base_id=$(docker image inspect --format '{{.Id}}' "$BASE_IMAGE" 2>/dev/null || true)
fi
digest=$( (cd "$here/environment" && cat Dockerfile requirements.txt; echo "${BASE_IMAGE:-} $base_id") \
    | sha256sum | cut -c1-16)
built=$(docker image inspect --format '{{index .Config.Labels "mlebench.environment"}}' "$tag" 2>/dev/null || true)
if [ -z "$force" ] && [ "$built" = "$digest" ]; then
    echo "$tag is up to date ($digest)"
    exit 0
fi

context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT INT TERM
cp -R "$here/environment/." "$context/"
bundle=${SSL_CERT_FILE:-${REQUESTS_CA_BUNDLE:-}}
if [ -n "$bundle" ] && [ -f "$bundle" ]; then
    echo "using the CA bundle $bundle for the build"
    cp "$bundle" "$context/ca/bundle.crt"
    chmod 0644 "$context/ca/bundle.crt"
fi

set -- --tag "$tag" --label "mlebench.environment=$digest"
[ -z "${BASE_IMAGE:-}" ] || set -- "$@" --build-arg "BASE_IMAGE=$BASE_IMAGE"
[ -z "${PIP_INDEX_URL:-}" ] || set -- "$@" --build-arg "PIP_INDEX_URL=$PIP_INDEX_URL"
[ -z "${MLEBENCH_BUILD_NETWORK:-}" ] || set -- "$@" --network "$MLEBENCH_BUILD_NETWORK"
echo "building $tag (environment $digest)"
docker build "$@" "$context"
