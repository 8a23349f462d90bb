"""How the validation process gives up the power to read the answers, and how it finds out whether it did."""

from __future__ import annotations

import os
import site
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

import mlebench
from mlebench.validation import landlock

SERVICE_UID = 10002
"""User and group id of the service when its runner is root; owns nothing."""

_SYSTEM = (
    "/bin",
    "/lib",
    "/lib64",
    "/usr/bin",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/share/zoneinfo",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/sys/devices/system/cpu",
    "/dev/urandom",
)


def confine(readable: Iterable[Path], work: Path, answers: Path | None) -> str:
    """Give up everything but reading `readable` and Python itself, and writing to `work`.

    Returns what protects the answers from now on: "landlock+uid", "landlock", "uid" or "none". When `answers`
    names their folder, it is tried out, and what can still be read counts as "none".
    """
    readable = list(readable)
    means = []
    uid = os.geteuid() == 0 and all(open_to_others(path) for path in [*_python(), *readable])
    if uid:
        for folder in (work, *work.rglob("*")):
            os.chown(folder, SERVICE_UID, SERVICE_UID, follow_symlinks=False)
    if landlock.restrict([*_python(), *readable, *map(Path, _SYSTEM)], [work, Path("/dev/null")]):
        means.append("landlock")
    if uid:
        os.setgroups([])
        os.setgid(SERVICE_UID)
        os.setuid(SERVICE_UID)
        means.append("uid")
    if answers is not None and _can_list(answers):
        return "none"
    return "+".join(means) or "none"


def _python() -> list[Path]:
    """Where the interpreter, the installed packages and this package lie."""
    package = Path(mlebench.__file__).resolve().parent
    folders = [Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve().parent, package]
    folders += [Path(path) for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    if site.ENABLE_USER_SITE and site.USER_SITE:
        folders.append(Path(site.USER_SITE))
    found = dict.fromkeys(folder.resolve() for folder in folders if folder.exists())
    # A prefix of / or /usr would open the whole system; its parts are in _SYSTEM.
    return [folder for folder in found if folder not in (Path("/"), Path("/usr"))]


def open_to_others(path: Path) -> bool:
    """Whether a user without any rights can come to `path` and read it."""
    resolved = path.resolve()
    mode = resolved.stat().st_mode
    needed = 0o005 if stat.S_ISDIR(mode) else 0o004
    return mode & needed == needed and all(parent.stat().st_mode & 0o001 for parent in resolved.parents)


def _can_list(folder: Path) -> bool:
    try:
        os.scandir(folder).close()
    except OSError:
        return False
    return True
