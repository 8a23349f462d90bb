"""Scratch folders of validation services; those of runners that were killed are removed by the next one."""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from pathlib import Path

from mlebench.sandbox.processes import start_mark
from mlebench.validation.confine import SERVICE_UID

_NAME = re.compile(r"mlebench-validation-([0-9]+)-([0-9a-z]+)-[^/]+")


def make_scratch() -> Path:
    """A new folder for a service of this process; abandoned ones are swept away first."""
    sweep()
    pid = os.getpid()
    return Path(tempfile.mkdtemp(prefix=f"mlebench-validation-{pid}-{_mark(pid)}-"))


def sweep() -> None:
    """Remove what services of runners left that were killed."""
    for path in Path(tempfile.gettempdir()).glob("mlebench-validation-*"):
        found = _NAME.fullmatch(path.name)
        if found is None or found[2] == _mark(int(found[1])):
            continue
        try:
            info = path.lstat()
        except OSError:
            continue
        if stat.S_ISDIR(info.st_mode) and info.st_uid in (os.geteuid(), SERVICE_UID):
            shutil.rmtree(path, ignore_errors=True)


def _mark(pid: int) -> str:
    """When the process started, as letters and digits; a pid alone may have been given to another one meanwhile."""
    return re.sub(r"[^0-9a-z]", "", (start_mark(pid) or "gone").lower())
