"""The report on a terminal: rich tables and the warnings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from mlebench import text
from mlebench.duration import format_duration
from mlebench.reporting import wording
from mlebench.reporting.sketch import sparkline

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from mlebench.reporting.consumption import ModelTotals
    from mlebench.reporting.model import CompetitionSummary, RunSummary, SummaryRow


_CURVES = 24
"""Attempts whose curves are printed; the page has them all."""


def print_report(console: Console, summaries: Sequence[RunSummary]) -> None:
    """Print the headline of all runs, then each run's tables and warnings."""
    console.print(_headline(summaries))
    console.print("[dim]± – : undefined with one seed[/dim]" if any(len(s.run.seeds) < 2 for s in summaries) else "")
    for summary in summaries:
        if len(summaries) > 1:
            console.rule(_shown(summary.run.name))
        told = (
            _facts(summary),
            _by_group(summary),
            _competitions(summary),
            _over_time(summary),
            _curves(summary),
            _fates(summary),
        )
        for renderable in told:
            if renderable is not None:
                console.print(renderable)
        if len(summary.headline.pass_at_k) > 1:
            curve = ", ".join(f"pass@{k} {text.percent(value)}" for k, value in summary.headline.pass_at_k.items())
            void = " (means nothing: synthetic data)" if summary.run.synthetic else ""
            console.print(f"Any medal within k attempts: {curve}{void}")
        if summary.models is not None and len(summary.models.models) > 1:
            console.print(_models(summary.models))
        for label, figure in wording.consumption(summary):
            console.print(f"{label}: {_shown(figure)}")
        for label, sentence in wording.warnings(summary):
            style = "bold red" if label in (wording.SYNTHETIC, wording.EARLIER) else "yellow"
            console.print(f"[{style}]{label}.[/{style}] {_shown(sentence)}")


def _headline(summaries: Sequence[RunSummary]) -> Table:
    columns = [(_name(summary), summary.headline) for summary in summaries]
    times = dict.fromkeys(s.at_seconds for s in summaries if s.at_seconds is not None)
    earlier = f", as if the attempts had ended after {format_duration(next(iter(times)))}" if times else ""
    table = _measures(f"Share of competitions in %, mean ± standard error over seeds{earlier}", columns)
    table.add_row("Seeds", *(str(len(summary.run.seeds)) for summary in summaries))
    return table


def _name(summary: RunSummary) -> str:
    style = "red" if summary.run.synthetic else "yellow"
    marks = "".join(f" [{style}]({_shown(mark)})[/{style}]" for mark in wording.marks(summary))
    return _shown(summary.run.name) + marks


def _facts(summary: RunSummary) -> str:
    run = summary.run
    facts = (
        f"agent {run.agent}",
        *([f"model {wording.model(summary)}"] if run.model else []),
        wording.isolation(summary),
        f"network {wording.network(summary)}",
        f"edition {run.edition}",
        f"{format_duration(run.time_limit_seconds)} each",
        *([f"budget {wording.budgets(summary)}"] if wording.budgets(summary) != "none" else []),
        f"data: {wording.data_line(summary)}",
    )
    return f"[dim]{_shown(' · '.join(facts))}[/dim]"


def _by_group(summary: RunSummary) -> Table | None:
    if len(summary.rows) == 1:
        return None
    named = [
        (wording.ROWS[row.name] + text.synthetic_part(row.competitions_synthetic, row.competitions), row)
        for row in summary.rows
    ]
    return _measures("By complexity and group", named)


def _measures(title: str, columns: Sequence[tuple[str, SummaryRow]]) -> Table:
    """Measures as rows: a terminal has more room downwards than sideways."""
    table = _table(title)
    table.add_column("")
    for heading, _ in columns:
        table.add_column(heading, justify="right", overflow="fold")
    for measure, label in wording.MEASURES.items():
        table.add_row(label, *(text.estimate(row.shares[measure]) for _, row in columns))
    table.add_section()
    table.add_row("Competitions", *(wording.over(row) for _, row in columns))
    complete = (text.of(row.competitions_with_result, row.competitions) for _, row in columns)
    table.add_row("With all results", *complete)
    table.add_row("Results", *(text.of(row.attempts - row.attempts_missing, row.attempts) for _, row in columns))
    return table


def _competitions(summary: RunSummary) -> Table:
    table = _table("Competitions (best, mean, percentile: over scored attempts)")
    for heading in ("Competition", "Best", "Mean", "Valid", "Medals", "Above median", "Percentile", "Best rank"):
        table.add_column(heading, overflow="fold")
    for competition in summary.competitions:
        table.add_row(*_competition_row(competition))
    return table


def _competition_row(competition: CompetitionSummary) -> list[str]:
    stats = competition.statistics
    medals = [f"{count} {name}" for name in ("gold", "silver", "bronze") if (count := getattr(stats, name))]
    missing = f" ([yellow]{lacking} missing[/yellow])" if (lacking := stats.attempts - stats.results) else ""
    unknown = text.UNDEFINED
    return [
        _shown(competition.id) + (" [red]synthetic[/red]" if competition.synthetic else ""),
        text.brief(stats.best_score),
        text.brief(stats.mean_score),
        text.of(stats.scored, stats.results) + missing,
        ", ".join(medals) + text.synthetic_part(int(competition.synthetic), 1) if medals else unknown,
        text.of(stats.above_median, stats.results),
        text.percentile(stats.mean_percentile) if stats.scored else unknown,
        text.rank(stats.best_rank, None, None, competition.teams) if stats.scored else unknown,
    ]


def _over_time(summary: RunSummary) -> Table | None:
    over = summary.over_time
    if over is None:
        return None
    mark = wording.synthetic_mark(summary)
    void = f"; {mark}: medals mean nothing" if mark else ""
    table = _table(f"Over time: as if every attempt had ended then (%, mean ± standard error over seeds{void})")
    for heading in ("After", "Any medal", "Gold", "Above median", "Valid", "Medals", "Results", "Still going"):
        table.add_column(heading, justify="right", overflow="fold")
    for point in over.milestones:
        table.add_row(
            format_duration(point.at_seconds),
            *(text.estimate(estimate) for estimate in point.shares.values()),
            text.of(point.medals, point.results),
            text.of(point.results, point.attempts),
            text.of(point.going, point.attempts),
        )
    return table


def _curves(summary: RunSummary) -> Table | None:
    """Each attempt's score over time, as far as it fits."""
    told = [
        (competition, attempt)
        for competition in summary.competitions
        for attempt in competition.attempts
        if len(attempt.steps) > 1
    ]
    if not told:
        return None
    last = max(attempt.steps[-1].at_seconds for _, attempt in told)
    scale = f"0 to {format_duration(last)}, ▁ near the median or below, █ gold, · no score"
    shown = f"the first {_CURVES} of {len(told)}" if len(told) > _CURVES else str(len(told))
    table = _table(f"Score over time of {shown} attempts with snapshots ({scale})")
    for heading in ("Attempt", "Over time", "First", "Last", "Snapshots"):
        table.add_column(heading, overflow="fold")
    for competition, attempt in told[:_CURVES]:
        thresholds, higher = competition.thresholds, competition.higher_is_better
        if thresholds is None or higher is None:
            continue
        curve = sparkline(attempt.steps, thresholds, last, higher_is_better=higher)
        first = next((step for step in attempt.steps if step.score is not None), None)
        medal = f" {text.medal(attempt.medal, synthetic=competition.synthetic)}" if attempt.medal else ""
        scores = (text.brief(first.score if first else None), text.brief(attempt.score) + medal)
        table.add_row(attempt.id, curve, *scores, str(sum(not step.final for step in attempt.steps)))
    return table


def _models(totals: ModelTotals) -> Table:
    table = _table(f"By model (over {text.of(totals.attempts, totals.of)} attempts)")
    table.add_column("Model", overflow="fold")
    for heading in ("Calls", "Tokens in", "Tokens out", "Cost", "Attempts that asked it"):
        table.add_column(heading, justify="right", overflow="fold")
    for use in totals.models:
        figures = (f"{use.calls:,}", text.count(use.tokens_in), text.count(use.tokens_out), text.usd(use.usd))
        table.add_row(_shown(use.model), *figures, text.of(use.attempts, totals.attempts))
    return table


def _fates(summary: RunSummary) -> RenderableType:
    parts = [
        f"{count.count} {text.words(count.fate)}" + (f" ({text.words(count.reason)})" if count.reason else "")
        for count in summary.fates
    ]
    return f"Of {text.plural(summary.headline.attempts, 'attempt')}: {', '.join(parts)}. Ends: {wording.ends(summary)}"


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold")


def _shown(untrusted: str) -> str:
    return escape(text.clean(untrusted))
