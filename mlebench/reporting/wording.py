"""Sentences and labels that every rendering of a report shares."""

from __future__ import annotations

from mlebench import text
from mlebench.duration import format_duration
from mlebench.reporting.model import RunSummary, SummaryRow
from mlebench.reporting.statistics import Measure, Missing

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

AGAINST_LEADERBOARD = frozenset(MEASURES) - {Measure.VALID, Measure.SUBMITTED}
"""Measures that compare a score with a leaderboard: on synthetic data they mean nothing, unlike what is valid."""

SYNTHETIC = "Synthetic data"
"""Label of the warning that medals mean nothing."""

NETWORK = "Network"
"""Label of the warning that agents reached more than the endpoints of the runner."""

EARLIER = "Not the end of the run"
"""Label of the warning that a report is of an earlier time."""

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
    if summary.at_seconds is not None:
        found.append((EARLIER, earlier_sentence(summary)))
    if facts.synthetic:
        found.append(
            (
                SYNTHETIC,
                f"{text.of(len(facts.synthetic), len(summary.competitions))} competitions ran on made-up data. "
                f"Their medals, ranks and percentiles compare made-up scores with {_compared_with(summary)} and mean "
                "nothing.",
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
    if facts.isolated is not False and facts.network != "none":
        found.append((NETWORK, _network_sentence(facts.network)))
    if facts.replay == "replay":
        found.append(("Replayed models", "Model answers came from a store of recorded ones; no model was asked."))
    if facts.attempts_per_gpu > 1:
        found.append(("Shared GPUs", f"Up to {facts.attempts_per_gpu} attempts shared each GPU at a time."))
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


def _compared_with(summary: RunSummary) -> str:
    """What stands behind the thresholds of the competitions with made-up data: only Kaggle's contests had teams."""
    groups = {one.group for one in summary.competitions if one.synthetic}
    if groups <= {"benchmark", "development"}:
        return "a real leaderboard"
    return "thresholds of the competitions' own" if groups <= {"practice", "own"} else "archived thresholds"


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
    return summary.run.network.replace("allow=", "allowed: ").replace(",", ", ")


def marks(summary: RunSummary) -> list[str]:
    """What stands beside a run's name wherever its figures stand."""
    return [mark for mark in (synthetic_mark(summary), network_mark(summary)) if mark]


def synthetic_mark(summary: RunSummary) -> str | None:
    """That a run's data is made up, in whole or in part; None where none is."""
    made_up, whole = len(summary.run.synthetic), len(summary.competitions)
    if not made_up:
        return None
    return "synthetic data" if made_up == whole else f"synthetic data in {text.of(made_up, whole)}"


def network_mark(summary: RunSummary) -> str | None:
    """How far a run's agents reached; None where they had no network."""
    run = summary.run
    if run.isolated is False:
        return "network not controlled"
    if run.network == "none":
        return None
    return "full network" if run.network == "full" else f"network: {text.plural(run.network.count(',') + 1, 'host')}"


def _network_sentence(network: str) -> str:
    if network == "full":
        return (
            "The agent could reach the whole internet (--network full): it may have found solutions or answers there, "
            "and its figures do not compare with those of runs without."
        )
    hosts = network.removeprefix("allow=").replace(",", ", ")
    return f"The agent could reach {hosts} through a logged proxy (--network allow)."


def earlier_sentence(summary: RunSummary) -> str:
    """What a report of an earlier time is."""
    at = format_duration(summary.at_seconds or 0.0)
    return (
        f"Every figure is as if each attempt had ended after {at} (--at): of attempts that went on longer, the last "
        "snapshot by then is the submission, whatever it scored. What models and GPUs took is known of whole runs only."
    )


def model(summary: RunSummary) -> str:
    """The model and those of single roles."""
    run = summary.run
    roles = ", ".join(f"{role}: {name}" for role, name in run.role_models.items())
    return f"{run.model}{f' ({roles})' if roles else ''}" if run.model else "none"


def budgets(summary: RunSummary) -> str:
    """Hard limits of an attempt."""
    run = summary.run
    parts = [
        text.usd(run.budget_usd) if run.budget_usd is not None else "",
        f"{run.budget_tokens:,} tokens" if run.budget_tokens is not None else "",
        f"{run.budget_calls:,} calls" if run.budget_calls is not None else "",
        f"{run.step_limit:,} steps" if run.step_limit is not None else "",
    ]
    return ", ".join(filter(None, parts)) or "none"


def ends(summary: RunSummary) -> str:
    """How the agents ended, the most frequent way first."""
    told = sorted(summary.ends, key=lambda one: -one.count)
    return ", ".join(f"{one.count} {text.words(one.end) if one.end else 'not ended'}" for one in told)


def consumption(summary: RunSummary) -> list[tuple[str, str]]:
    """What models and GPUs took: (label, figure with over how many of how many attempts)."""
    found: list[tuple[str, str]] = []
    models, machine = summary.models, summary.machine
    if models is not None:
        over_known = f"over {text.of(models.attempts, models.of)} attempts"
        refused = f", {models.refused:,} refused" if models.refused else ""
        errors = f", {models.errors:,} with an error" if models.errors else ""
        replayed = f", {models.replayed:,} replayed" if models.replayed else ""
        found.append(("Model calls", f"{models.calls:,}{errors}{refused}{replayed} ({over_known})"))
        parts = [f"{text.count(models.tokens_cached)} cached"] if models.tokens_cached else []
        parts += [f"{text.count(models.tokens_reasoning)} reasoning"] if models.tokens_reasoning else []
        parts += [f"{models.unmetered:,} calls estimated"] if models.unmetered else []
        extra = f" ({', '.join(parts)})" if parts else ""
        found.append(
            ("Tokens", f"{text.count(models.tokens_in)} in, {text.count(models.tokens_out)} out{extra} ({over_known})")
        )
        over_priced = f"over {text.of(models.priced, models.of)} attempts"
        unpriced = f"; no price is known of {', '.join(models.unpriced)}" if models.unpriced else ""
        each = f", {text.usd(models.usd_per_attempt)} each" if models.usd_per_attempt is not None else ""
        found.append(("Cost", f"{text.usd(models.usd)}{each} ({over_priced}{unpriced})"))
        void = "; means nothing: synthetic data" if summary.run.synthetic else ""
        medal = f"{text.usd(models.usd_per_medal)} ({text.plural(models.medals, 'medal')} {over_priced}{void})"
        found.append(("Cost per medal", medal if models.medals else f"{text.UNDEFINED} (no medal {over_priced})"))
        if models.exhausted:
            told = ", ".join(f"{count} by {name}" for name, count in models.exhausted.items())
            found.append(("Budgets used up", f"{told} ({over_known})"))
    if machine is not None:
        over_held = f"over {text.of(machine.attempts, machine.of)} attempts"
        found.append(("GPU hours", f"{machine.gpu_hours:,.2f} ({over_held})"))
        over_measured = f"over {text.of(machine.measured, machine.of)} attempts"
        energy = f"{machine.energy_kwh:,.3f} kWh" if machine.energy_kwh is not None else text.UNDEFINED
        found.append(("GPU energy", f"{energy} ({over_measured})"))
        if machine.utilisation_mean is not None:
            peak = f", at most {machine.memory_peak_gb:.1f} GB" if machine.memory_peak_gb is not None else ""
            found.append(("GPU utilisation", f"{machine.utilisation_mean:.0f} %{peak} ({over_measured})"))
    return found


def seeds(values: list[int]) -> str:
    """Seeds as a list, or as a span when there are many."""
    listed = ", ".join(map(str, values[:8])) + (", …" if len(values) > 8 else "")
    return f"{len(values)} ({listed})"


def _some(names: list[str], most: int = 3) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
