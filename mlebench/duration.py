"""Lengths of time as people write them (90s, 30m, 24h, 1h30m, 2d) and as they are shown everywhere (1 h 30 min)."""

from __future__ import annotations

import re

from mlebench.errors import UsageError

_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_SPELLING = {"d": "d", "h": "h", "m": "m(?:in)?", "s": "s"}
_FORM = re.compile(
    r"(?=.)" + "".join(rf"(?:(?P<{unit}>\d{{1,9}}(?:\.\d{{1,6}})?){word})?" for unit, word in _SPELLING.items())
)
_WRITTEN = {"d": 86400, "h": 3600, "min": 60, "s": 1}
_DAYS_FROM = 7 * 86400


def parse_duration(text: str) -> float:
    """Seconds in a text such as 1h30m; a number without unit is refused, since it could mean anything."""
    match = _FORM.fullmatch(text.strip().lower().replace(" ", ""))
    if not match:
        raise UsageError(f"{text!r} is not a length of time; write it like 90s, 30m, 24h or 1h30m.")
    return sum(float(value) * _SECONDS[unit] for unit, value in match.groupdict().items() if value)


def format_duration(seconds: float) -> str:
    """The same the other way round, in at most two units: 24 h, 1 h 30 min, 45 s.

    Limits are said in hours, so days begin after a week; below ten seconds there is one decimal.
    """
    left = max(0.0, seconds)
    if left < 10:
        return f"{left:.1f}".removesuffix(".0") + " s"
    whole, parts = round(left), []
    for word, size in _WRITTEN.items():
        count, rest = divmod(whole, size)
        if count and not (word == "d" and whole <= _DAYS_FROM):
            parts.append(f"{count} {word}")
            whole = rest
    return " ".join(parts[:2])
