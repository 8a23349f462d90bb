#!/bin/bash
# Started with the agent's own settings as NAME=VALUE words, such as `agent.steps=3`.
set -eu
echo "competition $COMPETITION_ID, $TIME_LIMIT_SECS seconds, settings: $*" | tee "$LOGS_DIR/agent.log"
test -w /home/submission && test -w /home/logs && test -w /home/code && test ! -w /home/data
cd "$AGENT_DIR"

# The task: instructions, and the description they point to.
{ cat /home/instructions.txt; echo; cat /home/data/description.md; } >"$LOGS_DIR/full_instructions.txt"

# The server that validates.
curl --silent --show-error --fail --max-time 30 http://localhost:5000/health >"$LOGS_DIR/health"

# A first try that is wrong, and what is said about it.
echo "nonsense" >/tmp/wrong.csv
curl --silent --show-error --max-time 60 -X POST -F "file=@/tmp/wrong.csv" http://localhost:5000/validate >"$LOGS_DIR/wrong"
grep -q "invalid" "$LOGS_DIR/wrong"

python3 "$AGENT_DIR/solve.py" "$@"
cp "$AGENT_DIR/solve.py" "$CODE_DIR/"

curl --silent --show-error --fail --max-time 60 -F "file=@$SUBMISSION_DIR/submission.csv" http://localhost:5000/validate \
    | tee "$LOGS_DIR/right"
grep -q "Submission is valid" "$LOGS_DIR/right"
/home/validate_submission.sh "$SUBMISSION_DIR/submission.csv" | tee "$LOGS_DIR/script"
bash /home/validate_submission.sh "$SUBMISSION_DIR/submission.csv" | grep -q "Submission is valid"
