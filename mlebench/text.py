"""How figures are written for people: the same in sentences, on the terminal and in HTML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlebench.reporting.statistics import Estimate

UNDEFINED = "–"

# C0 and C1 controls (terminal escapes among them), bidirectional overrides, lone surrogates.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def number(value: float | None, *, unknown: str = UNDEFINED) -> str:
    """A score with up to 5 decimals and no trailing zeros."""
    if value is None:
        return unknown
    text = f"{value:.5f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def size(count: float) -> str:
    """Bytes in the unit people read."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def percent(share: float | None) -> str:
    """A share of 0-1 as a percentage with one decimal."""
    return UNDEFINED if share is None else f"{100 * share:.1f} %"


def brief(value: float | None) -> str:
    """A score for narrow places: `number`, from 1,000 on with six significant digits."""
    if value is None or abs(value) < 1000:
        return number(value)
    return f"{value:,.0f}" if abs(value) >= 1e5 else f"{value:.6g}"


def mean(value: Estimate) -> str:
    """A mean share in percent."""
    return UNDEFINED if value.mean is None else f"{100 * value.mean:.1f}"


def sem(value: Estimate) -> str:
    """A standard error in percentage points; undefined (fewer than two seeds) is a dash, never 0."""
    return UNDEFINED if value.sem is None else f"{100 * value.sem:.1f}"


def estimate(value: Estimate) -> str:
    """Mean ± standard error, both in percent."""
    return UNDEFINED if value.mean is None else f"{mean(value)} ± {sem(value)}"


def percentile(value: float | None) -> str:
    """A percentile with one decimal."""
    return "unknown" if value is None else f"{value:.1f}"


def rank(value: int | None, low: int | None, high: int | None, teams: int | None = None) -> str:
    """An estimated rank for narrow places; ~ says that only its bounds are certain."""
    if value is None:
        return "unknown"
    if _behind_all(value, teams):
        return f"behind all {teams:,}"
    return f"{value:,}" if low == high else f"~{value:,}"


def rank_bounds(value: int | None, low: int | None, high: int | None, teams: int | None = None) -> str | None:
    """What stands beside an estimated rank in narrow places; None where the rank is exact or unknown."""
    if value is None or low is None or high is None or low == high:
        return None
    return f"{low:,} at best" if _behind_all(value, teams) else f"{low:,}–{high:,}"


def standing_text(
    rank: int | None, low: int | None, high: int | None, teams: int | None, percentile: float | None = None
) -> str:
    """Where a score stands among the archived teams, as a phrase: the estimated rank, its bounds, the percentile."""
    if rank is None:
        return "rank and percentile unknown: no rank table is archived"
    share = "" if percentile is None else f", percentile {percentile:.1f}"
    exact = rank_bounds(rank, low, high) is None
    if _behind_all(rank, teams):
        return f"behind all {teams:,} teams{'' if exact else f' (rank {low:,} at best)'}{share}"
    of_teams = "" if teams is None else f" of {teams:,}"
    if exact:
        return f"rank {rank:,}{of_teams}{share}"
    return f"about rank {rank:,}{of_teams} (between {low:,} and {high:,}){share}"


def _behind_all(rank: int, teams: int | None) -> bool:
    """A rank counts the teams that are better, so a score worse than every team's has one more than there are."""
    return teams is not None and rank > teams


def medal(name: str | None, *, synthetic: bool, none: str = "") -> str:
    """A medal as it is written everywhere; of one on synthetic data it is said that it is."""
    return none if name is None else name + synthetic_part(int(synthetic), 1)


def synthetic_part(synthetic: int, total: int) -> str:
    """What stands behind a number of medals of which some were earned on synthetic data, where they mean nothing."""
    if not synthetic:
        return ""
    return " (synthetic)" if synthetic == total else f" ({synthetic:,} synthetic)"


def usd(value: float | None) -> str:
    """Dollars: cents from one dollar on, four decimals below."""
    if value is None:
        return UNDEFINED
    return f"${value:,.2f}" if value >= 1 or value == 0 else f"${value:.4f}"


def count(value: float | None) -> str:
    """A large number in three digits and a unit: 950, 12.3k, 4.56M."""
    if value is None:
        return UNDEFINED
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size * 0.9995:
            return f"{value / size:.3g}{unit}"
    return f"{value:.0f}"


def words(code: str) -> str:
    """A code such as out_of_time as words."""
    return code.replace("_", " ")


def of(part: int, whole: int) -> str:
    """n of m."""
    return f"{part} of {whole}"


def clean(untrusted: str, limit: int = 400) -> str:
    """Text that an agent may have had a hand in, without anything that a terminal or browser would obey, cut short."""
    printable = _UNPRINTABLE.sub("\ufffd", untrusted)
    return printable if len(printable) <= limit else printable[: limit - 1] + "…"


def plural(count: int, noun: str) -> str:
    """1 seed, 2 seeds."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
