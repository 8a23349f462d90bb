"""Sentences and labels that every rendering of a report shares."""

from __future__ import annotations

from mlebench.reporting import text
from mlebench.reporting.statistics import Measure, Missing
from mlebench.reporting.summary import RunSummary, SummaryRow

MEASURES = {
    Measure.ANY_MEDAL: "Any medal",
    Measure.GOLD: "Gold",
    Measure.SILVER: "Silver",
    Measure.BRONZE: "Bronze",
    Measure.ABOVE_MEDIAN: "Above median",
    Measure.VALID: "Valid",
    Measure.SUBMITTED: "Submitted",
}
"""Measures in the order they are shown."""

SYNTHETIC = "Synthetic data"
"""Label of the warning that medals mean nothing."""

ROWS = {
    "low": "Low",
    "medium": "Medium",
    "high": "High",
    "benchmark": "Benchmark",
    "development": "Development",
    "practice": "Practice",
    "own": "Own competitions",
    "unknown": "Unknown competitions",
    "run": "Whole run",
}

MISSING_RULES = {
    Missing.AS_FAILURE: "Attempts without a result count as earning nothing.",
    Missing.AVAILABLE: "Attempts without a result are left out of their seed's share.",
    Missing.COMPLETE: "Seeds with an attempt without a result are left out as a whole.",
}


def over(row: SummaryRow) -> str:
    """Over how many of how many competitions a row's shares are."""
    if row.competitions_in_split is None:
        return f"{row.competitions}"
    return text.of(row.competitions, row.competitions_in_split)


def warnings(summary: RunSummary) -> list[tuple[str, str]]:
    """What a reader must know before believing a figure: (short label, sentence)."""
    facts, row = summary.run, summary.headline
    found: list[tuple[str, str]] = []
    if facts.synthetic:
        found.append(
            (
                SYNTHETIC,
                f"{text.of(len(facts.synthetic), len(summary.competitions))} competitions ran on made-up data. "
                "Their medals, ranks and percentiles compare made-up scores with a real leaderboard and mean nothing.",
            )
        )
    if facts.isolated is False:
        found.append(
            (
                "Not isolated",
                f"The {facts.sandbox} sandbox does not keep an agent from the answers or the network: "
                "only for agents you trust.",
            )
        )
    if facts.network != "none" and facts.isolated is not False:
        found.append(("Network", "The agent had network access."))
    if row.attempts_missing:
        seeds = "; ".join(
            f"seed {seed}: {_some(names)} ({text.of(len(names), row.competitions)})"
            for seed, names in row.missing_by_seed.items()
        )
        found.append(
            (
                "Missing",
                f"{text.of(row.attempts_missing, row.attempts)} attempts have no result ({seeds}). "
                f"{MISSING_RULES[summary.missing_rule]}",
            )
        )
    return found


def data_line(summary: RunSummary) -> str:
    """Where the data came from, and for how many competitions the published checksums held."""
    facts = summary.run
    if not facts.data_sources:
        return "nothing graded yet"
    sources = ", ".join(f"{count} {source}" for source, count in facts.data_sources.items())
    # Nobody published checksums of made-up or bundled data.
    checkable = sum(count for source, count in facts.data_sources.items() if source not in ("synthetic", "bundled"))
    held = f"; published checksums held for {text.of(facts.verified, checkable)}" if checkable else ""
    return f"{sources}{held}"


def isolation(summary: RunSummary) -> str:
    """The sandbox and whether it isolates."""
    word = {True: "isolated", False: "NOT isolated", None: "isolation unknown"}[summary.run.isolated]
    return f"{summary.run.sandbox} ({word})"


def network(summary: RunSummary) -> str:
    """Whether the agent had network access."""
    if summary.run.isolated is False:
        return "not controlled: the sandbox does not isolate"
    return summary.run.network


def seeds(values: list[int]) -> str:
    """Seeds as a list, or as a span when there are many."""
    listed = ", ".join(map(str, values[:8])) + (", …" if len(values) > 8 else "")
    return f"{len(values)} ({listed})"


def _some(names: list[str], most: int = 3) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
