"""Lengths of time as people write them: 90s, 30m, 24h, 1h30m, 2d."""

from __future__ import annotations

import re

from mlebench.errors import UsageError

_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_FORM = re.compile(r"(?=.)" + "".join(rf"(?:(?P<{unit}>\d{{1,9}}(?:\.\d{{1,6}})?){unit})?" for unit in _SECONDS))


def parse_duration(text: str) -> float:
    """Seconds in a text such as 1h30m; a number without unit is refused, since it could mean anything."""
    match = _FORM.fullmatch(text.strip().lower().replace(" ", ""))
    if not match:
        raise UsageError(f"{text!r} is not a length of time; write it like 90s, 30m, 24h or 1h30m.")
    return sum(float(value) * _SECONDS[unit] for unit, value in match.groupdict().items() if value)


def format_duration(seconds: float) -> str:
    """The same the other way round, in whole seconds and at most two units: 1h30m, 45s."""
    left, parts = max(0, round(seconds)), []
    for unit, size in _SECONDS.items():
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts[:2]) or "0s"
