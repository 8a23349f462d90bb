"""Hands in the sample submission. Standard library only; runs in every sandbox."""

import os
import shutil
import subprocess
from pathlib import Path


def say(message):
    print(message, flush=True)
    with (Path(os.environ["LOGS_DIR"]) / "dummy.log").open("a", encoding="utf-8") as log:
        log.write(message + "\n")


def main():
    sample, target = Path(os.environ["SAMPLE_SUBMISSION"]), Path(os.environ["SUBMISSION_FILE"])
    shutil.copyfile(sample, target)
    shutil.copyfile(__file__, Path(os.environ["CODE_DIR"]) / "start.py")
    say(f"copied {sample} to {target} ({target.stat().st_size} bytes)")
    asked = subprocess.run(["sh", os.environ["VALIDATE_SCRIPT"], str(target)], capture_output=True, text=True)
    say(f"validation (exit {asked.returncode}): {(asked.stdout or asked.stderr).strip()}")


if __name__ == "__main__":
    main()
