#!/usr/bin/env bash
# Write constraints.txt anew: the newest versions of everything mlebench[dev] needs, installed into a scratch venv.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"${PYTHON:-python3}" -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet '.[dev]'
{
  echo "# Versions that CI tests with: pip install -c constraints.txt mlebench. Made by scripts/update_constraints.sh."
  "$scratch/venv/bin/pip" list --format=freeze | grep -v -E '^(pip|setuptools|mlebench)='
} >constraints.txt
