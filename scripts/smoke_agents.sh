#!/usr/bin/env bash
# The shipped agents in real containers on a practice competition, as a user would run them, with the scripted model
# in a real model's place: run -> graded -> sealed bundle -> verified. Their images must be built (scripts/build_agents.sh).
# BIN: folder with the mlebench command; SMOKE_DIR: scratch; AGENTS: which; LIMIT: time of each attempt.
set -euo pipefail
bin=${BIN:-.venv/bin}
dir=${SMOKE_DIR:-.cache/smoke}/agents
agents=${AGENTS:-aide openhands mlab-style}
limit=${LIMIT:-5m}
task=practice-breast-cancer
# The real MLAB where its source, or an image made of it, is at hand.
if [ -z "${AGENTS:-}" ] && docker image inspect mlebench-mlab >/dev/null 2>&1; then agents="$agents mlab"; fi
rm -rf "$dir/runs"
mkdir -p "$dir"
mlebench() { echo "+ mlebench $*" >&2; "$bin/mlebench" "$@"; }

mlebench prepare "$task" --data-dir "$dir/data"
for agent in $agents; do
  mlebench run --agent "$agent" -c "$task" --model scripted/demo --time-limit "$limit" \
    --name "$agent" --data-dir "$dir/data" --runs-dir "$dir/runs"
  mlebench runs bundle "$agent" --runs-dir "$dir/runs" -o "$dir/$agent.tar.gz"
  mlebench verify "$dir/$agent.tar.gz" --data-dir "$dir/data"
  mlebench runs show "$agent" --runs-dir "$dir/runs" --json >"$dir/$agent.json"
  "$bin/python" - "$dir/$agent.json" <<'PY'
import json, sys

(attempt,) = json.load(open(sys.argv[1]))["attempts"]
grade, usage = attempt["grade"], attempt["usage"]
print(f"smoke: {sys.argv[1]}: {grade['outcome']}, score {grade['score']}, end {attempt['end']}, {usage['calls']} calls, "
      f"{usage['tokens_in']} + {usage['tokens_out']} tokens")
sys.exit(0 if grade["outcome"] == "graded" and usage["calls"] > 0 else 1)
PY
done
