"""Python and the packages that mlebench is made of."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Sequence
from importlib import metadata

from mlebench import __version__
from mlebench.doctor.finding import Finding, ok, problem

_OLDEST = (3, 11)
_REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*(?:>=\s*([0-9][0-9.]*))?")


def python_version() -> list[Finding]:
    """Is this Python new enough?"""
    found = f"{platform.python_version()} ({sys.executable})"
    if sys.version_info < _OLDEST:
        oldest = ".".join(map(str, _OLDEST))
        return [problem("Python", found, f"install Python {oldest} or newer and mlebench in it")]
    return [ok("Python", found)]


def packages(requirements: Sequence[str] | None = None) -> list[Finding]:
    """Is every package that mlebench needs here, and none too old? By name and version; nothing is imported."""
    if requirements is None:
        try:
            requirements = metadata.requires("mlebench") or []
        except metadata.PackageNotFoundError:
            return [problem("Packages", "mlebench runs without being installed", "pip install it, or `make install`")]
    bad, count = [], 0
    for requirement in requirements:
        match = _REQUIREMENT.match(requirement)
        if match is None or ";" in requirement:  # an extra's
            continue
        count += 1
        name, least = match.groups()
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            bad.append((f"{name} is missing", f"{name}>={least}" if least else name))
            continue
        if least and _numbers(version) < _numbers(least):
            bad.append((f"{name} {version} is older than {least}", f"{name}>={least}"))
    if bad:
        wanted = " ".join(f"'{need}'" for _, need in bad)
        return [problem("Packages", "; ".join(what for what, _ in bad), f"pip install --upgrade {wanted}")]
    return [ok("Packages", f"mlebench {__version__}, {count} packages it needs are here and new enough")]


def _numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version without trailing zeros: enough to compare releases."""
    numbers = []
    for part in version.split("."):
        digits = re.match(r"\d+", part)
        if digits is None:
            break
        numbers.append(int(digits[0]))
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
