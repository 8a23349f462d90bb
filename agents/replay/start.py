"""Runs an earlier attempt's solution in a scratch folder and hands in what it writes. Standard library only."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TASK_PYTHON = "/opt/task/bin/python"
WRITTEN = ("submission.csv", "working/submission.csv", "submission/submission.csv")
STARTED = time.monotonic()


class Ended(Exception):
    """SIGTERM came."""


def terminated(*_):
    raise Ended


def main():
    signal.signal(signal.SIGTERM, terminated)
    limit = float(os.environ["TIME_LIMIT_SECS"])
    deadline = STARTED + limit - min(15.0, 0.1 * limit)
    source, script = Path(os.environ["INPUT_CODE"]), os.environ.get("OPTION_SCRIPT") or "solution.py"
    if not (source / script).is_file():
        files = ", ".join(sorted(path.name for path in source.iterdir())[:20]) or "nothing"
        return tell("crashed", f"The earlier attempt left no {script}; its code folder holds {files}.", 1)
    scratch = Path(tempfile.mkdtemp(prefix="replay-"))
    shutil.copytree(source, scratch, dirs_exist_ok=True)
    for name in ("working", "submission"):
        (scratch / name).mkdir(exist_ok=True)
    if not (scratch / "input").exists():
        (scratch / "input").symlink_to(os.environ["DATA_DIR"])
    shutil.copytree(source, os.environ["CODE_DIR"], dirs_exist_ok=True)
    code, why = run(scratch, script, deadline)
    found = hand_in(scratch)
    if why is not None:
        return tell("out_of_time", f"{script} was not done in time; {found}.", 0)
    if code != 0 and found == NOTHING:
        return tell("crashed", f"{script} ended with exit code {code} and wrote no submission.", 1)
    note = "" if code == 0 else f"{script} ended with exit code {code}; "
    return tell("finished" if found != NOTHING else "crashed", f"{note}{found}.", 0 if found != NOTHING else 1)


def run(scratch, script, deadline):
    """Exit code, and why it was ended (None: by itself). Nothing that it started goes on."""
    python = os.environ.get("OPTION_PYTHON") or (TASK_PYTHON if Path(TASK_PYTHON).exists() else sys.executable)
    with (Path(os.environ["LOGS_DIR"]) / "solution.log").open("wb") as log:
        process = subprocess.Popen(
            [python, script],
            cwd=scratch,
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            return process.wait(max(0.0, deadline - time.monotonic())), None
        except (subprocess.TimeoutExpired, Ended) as problem:
            return None, type(problem).__name__
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()


NOTHING = "it wrote no submission"


def hand_in(scratch):
    """Put the submission where it is graded, and say where it came from."""
    target = Path(os.environ["SUBMISSION_FILE"])
    if target.is_file() and target.stat().st_size:
        return "it wrote the submission file itself"
    found = [path for name in WRITTEN if (path := scratch / name).is_file() and path.stat().st_size]
    if not found:
        return NOTHING
    newest = max(found, key=lambda path: path.stat().st_mtime)
    aside = target.with_name(".replay.csv")
    shutil.copyfile(newest, aside)
    aside.replace(target)
    return f"{newest.relative_to(scratch)} is handed in"


def tell(end, message, code):
    print(f"replay: {end}: {message}", flush=True)
    path = Path(os.environ["LOGS_DIR"]) / "outcome.json"
    path.write_text(json.dumps({"end": end, "message": message, "steps": 1}) + "\n", encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
