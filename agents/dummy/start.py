"""Hands in the sample submission. Standard library only; runs in every sandbox."""

import gzip
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path


def say(message):
    print(message, flush=True)
    with (Path(os.environ["LOGS_DIR"]) / "dummy.log").open("a", encoding="utf-8") as log:
        log.write(message + "\n")


def find_sample():
    named = os.environ.get("SAMPLE_SUBMISSION")
    if named and Path(named).is_file():
        return Path(named)
    data = Path(os.environ["DATA_DIR"])
    found = sorted(p for p in data.rglob("*") if p.is_file() and "sample" in p.name.lower() and "sub" in p.name.lower())
    if not found:
        sys.exit(f"There is no sample submission below {data}.")
    return found[0]


def copy_sample(sample, target):
    if sample.suffix == ".zip":
        with zipfile.ZipFile(sample) as archive:
            name = next(n for n in archive.namelist() if n.endswith(".csv") and not n.startswith("__MACOSX"))
            with archive.open(name) as source, target.open("wb") as copy:
                shutil.copyfileobj(source, copy)
    elif sample.suffix == ".gz":
        with gzip.open(sample) as source, target.open("wb") as copy:
            shutil.copyfileobj(source, copy)
    else:
        shutil.copyfile(sample, target)


def main():
    sample = find_sample()
    target = Path(os.environ["SUBMISSION_FILE"])
    copy_sample(sample, target)
    shutil.copyfile(__file__, Path(os.environ["CODE_DIR"]) / "start.py")
    say(f"copied {sample} to {target} ({target.stat().st_size} bytes)")
    asked = subprocess.run(["sh", os.environ["VALIDATE_SCRIPT"], str(target)], capture_output=True, text=True)
    say(f"validation (exit {asked.returncode}): {(asked.stdout or asked.stderr).strip()}")


if __name__ == "__main__":
    main()
