#!/usr/bin/env bash
# Smoke run: the lite split on synthetic data, prepare -> run -> grade -> report, as a user would.
# BIN: folder with the mlebench command; SMOKE_DIR: scratch; SANDBOX: docker or process; AGENT, SPLIT, LIMIT.
set -euo pipefail
bin=${BIN:-.venv/bin}
dir=${SMOKE_DIR:-.cache/smoke}
agent=${AGENT:-baseline}
split=${SPLIT:-lite}
limit=${LIMIT:-2m}
if [ -z "${SANDBOX:-}" ]; then
  if docker info >/dev/null 2>&1; then SANDBOX=docker; else SANDBOX=process; fi
fi
rm -rf "$dir/runs"
mkdir -p "$dir"
mlebench() { echo "+ mlebench $*" >&2; "$bin/mlebench" "$@"; }

mlebench prepare --split "$split" --source synthetic --jobs 2 --data-dir "$dir/data"
mlebench verify --split "$split" --data-dir "$dir/data" >"$dir/verify.txt"
mlebench run --agent "$agent" --split "$split" --sandbox "$SANDBOX" --time-limit "$limit" --concurrency 2 \
  --name smoke --data-dir "$dir/data" --runs-dir "$dir/runs"
mlebench report smoke --runs-dir "$dir/runs" --html "$dir/report.html"
mlebench report smoke --runs-dir "$dir/runs" --json >"$dir/report.json"
"$bin/python" - "$dir/report.json" <<'PY'
import json, sys

report = json.load(open(sys.argv[1]))
total, valid = report["total_runs"], report["total_valid_submissions"]
print(f"smoke: {valid} of {total} attempts valid")
sys.exit(0 if total and valid == total else 1)
PY
