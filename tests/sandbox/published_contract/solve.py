"""Predicts 0.5 for whatever the sample submission asks for; writes where the contract says, and nowhere else."""

import csv
import os
import sys
from pathlib import Path

settings = dict(word.split("=", 1) for word in sys.argv[1:])
rows = list(csv.reader(Path("/home/data/sample_submission.csv").read_text().splitlines()))
with open("/home/submission/submission.csv", "w", newline="") as file:
    csv.writer(file).writerows(rows)
(Path("/home/logs") / "steps").write_text(f"{settings['agent.steps']} of {os.environ['TIME_LIMIT_SECS']}")
