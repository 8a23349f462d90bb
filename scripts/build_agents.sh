#!/bin/bash
# Builds the images of agents that the tests run, on a machine like CI's: no image registry, packages only.
#     scripts/build_agents.sh [AGENT...]       (default: every agent that ships with mlebench and can be built here)
# The engine and the base images come from ensure_docker.sh; what is up to date is skipped in a second or two.
# With a registry in reach, none of this is needed: `mlebench agents build --all` does.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
bash "$here/scripts/ensure_docker.sh" --trixie
export MLEBENCH_BASE_IMAGES=${MLEBENCH_BASE_IMAGES:-python:3.11-slim-bookworm=mlebench-base:bookworm python:3.13-slim-trixie=mlebench-base:trixie}
if [ $# = 0 ]; then
    # mlab is installed from a Git repository, which not every build machine reaches; its tests say so by themselves.
    for folder in "$here"/agents/*/; do
        name=$(basename "$folder")
        if [ -f "$folder/agent.toml" ] && [ "$name" != mlab ]; then set -- "$@" "$name"; fi
    done
fi
"$here/.venv/bin/mlebench" agents build "$@" --network "${MLEBENCH_BUILD_NETWORK:-host}"
