"""Runs an earlier attempt's solution in a scratch folder and hands in what it writes."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, os.environ["AGENT_KIT_DIR"])
sys.dont_write_bytecode = True  # neither the kit's folder nor this one is ours to write to

from agentkit.contract import Clock, Ended, Surroundings, Watch, copy_atomically, write_outcome  # noqa: E402
from agentkit.processes import adopt_orphans, end_descendants  # noqa: E402

TASK_PYTHON = "/opt/task/bin/python"
WRITTEN = ("submission.csv", "working/submission.csv", "submission/submission.csv")
NOTHING = "it wrote no submission"


def main():
    around = Surroundings.read()
    source, script = Path(os.environ["INPUT_CODE"]), around.text("script", "solution.py")
    if not (source / script).is_file():
        files = ", ".join(sorted(path.name for path in source.iterdir())[:20]) or "nothing"
        return tell(around, "crashed", f"The earlier attempt left no {script}; its code folder holds {files}.")
    scratch = Path(tempfile.mkdtemp(prefix="replay-"))
    code = None
    adopt_orphans()
    watch = Watch(Clock(around.time_limit))
    watch.start()
    try:
        lay_out(source, scratch, around)
        code = run(scratch, script, around)
    except Ended:
        pass
    watch.stop()
    end_descendants()
    found = hand_in(scratch, around.submission)
    if code is None:
        return tell(around, "out_of_time", f"{script} was not done in time; {found}.")
    if code != 0 and found == NOTHING:
        return tell(around, "crashed", f"{script} ended with exit code {code} and wrote no submission.")
    note = "" if code == 0 else f"{script} ended with exit code {code}; "
    return tell(around, "crashed" if found == NOTHING else "finished", f"{note}{found}.")


def lay_out(source, scratch, around):
    """The code beside ./input and empty folders to write to; and a copy where code is kept."""
    shutil.copytree(source, scratch, dirs_exist_ok=True)
    for name in ("working", "submission"):
        (scratch / name).mkdir(exist_ok=True)
    if not (scratch / "input").exists():
        (scratch / "input").symlink_to(around.data)
    shutil.copytree(source, around.code, dirs_exist_ok=True)


def run(scratch, script, around):
    """Run the script to its end; returns its exit code. What it prints goes to logs/solution.log."""
    python = around.text("python") or (TASK_PYTHON if Path(TASK_PYTHON).exists() else sys.executable)
    with (around.logs / "solution.log").open("wb") as log:
        return subprocess.Popen(
            [python, script], cwd=scratch, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
        ).wait()


def hand_in(scratch, target):
    """Put the submission where it is graded, and say where it came from."""
    if target.is_file() and target.stat().st_size:
        return "it wrote the submission file itself"
    found = [path for name in WRITTEN if (path := scratch / name).is_file() and path.stat().st_size]
    newest = max(found, key=lambda path: path.stat().st_mtime, default=None)
    if newest is None or not copy_atomically(newest, target):
        return NOTHING
    return f"{newest.relative_to(scratch)} is handed in"


def tell(around, end, message):
    print(f"replay: {end}: {message}", flush=True)
    write_outcome(around.logs, end, message, 1)
    return 1 if end == "crashed" else 0


if __name__ == "__main__":
    sys.exit(main())
