"""The page's sections on score over time and on what models and machines took."""

from __future__ import annotations

from collections.abc import Sequence

from mlebench.reporting import text, wording
from mlebench.reporting.markup import Content, Html, element, join, table
from mlebench.reporting.model import RunSummary
from mlebench.reporting.plot import mark
from mlebench.reporting.statistics import Measure
from mlebench.reporting.timeplot import medals_over_time
from mlebench.running.duration import format_duration


def over_time_section(summaries: Sequence[RunSummary]) -> list[Html]:
    """Medals over time of every run with snapshots; nothing where none has any."""
    told = [(index, summary) for index, summary in enumerate(summaries) if summary.over_time is not None]
    if not told:
        return []
    tables = [_milestones(summary, named=len(summaries) > 1) for _, summary in told]
    return [
        element("h2", "Score over time"),
        element("div", _plot(summaries), element("div", *tables), class_="over-time"),
    ]


def _plot(summaries: Sequence[RunSummary]) -> Html:
    curves = [(s.run.name, s.over_time.medal_curve if s.over_time else []) for s in summaries]
    # To the end of the longest attempt: where all is over long before the limit, the rest would be empty.
    longest = max((a.seconds for s in summaries for a in s.attempts if a.seconds is not None), default=0.0)
    plot = Html(medals_over_time(curves, longest))
    note = (
        "Share of competitions with any medal, mean over seeds; each attempt counts by its last snapshot at that time."
    )
    return element("figure", plot, element("figcaption", note, class_="note"))


def _milestones(summary: RunSummary, *, named: bool) -> Html:
    assert summary.over_time is not None
    over = summary.over_time
    shown = (Measure.ANY_MEDAL, Measure.GOLD, Measure.ABOVE_MEDIAN, Measure.VALID)
    rows: list[list[Content]] = [
        [
            format_duration(point.at_seconds),
            *(text.estimate(point.shares[measure]) for measure in shown),
            text.of(point.medals, point.results),
            text.of(point.results, point.attempts),
            text.of(point.going, point.attempts),
        ]
        for point in over.milestones
    ]
    headings = ["After", *(wording.MEASURES[measure] for measure in shown), "Medals", "Results", "Still going"]
    name = f"{summary.run.name}: as" if named else "As"
    caption = (
        f"{name} if every attempt had ended then; share of competitions in %, mean ± standard error over seeds. "
        f"{text.plural(over.snapshots, 'snapshot')} of {text.of(over.with_snapshots, over.attempts)} attempts"
    )
    return table(headings, rows, caption=caption)


def consumption_section(summaries: Sequence[RunSummary]) -> list[Html]:
    """Calls, tokens, dollars, GPU hours of each run; nothing where no run has a model or a GPU."""
    told = [(index, summary, wording.consumption(summary)) for index, summary in enumerate(summaries)]
    if not any(figures for _, _, figures in told):
        return []
    many = len(summaries) > 1
    parts: list[Html] = [element("h2", "Models and machines")]
    if many:
        labels = list(dict.fromkeys(label for _, _, figures in told for label, _ in figures))
        rows: list[list[Content]] = [
            [label, *(dict(figures).get(label, text.UNDEFINED) for _, _, figures in told)] for label in labels
        ]
        parts.append(table(["", *(s.run.name for s in summaries)], rows, caption="What it took", class_="facts"))
    else:
        pairs = (element("div", element("dt", label), element("dd", value)) for label, value in told[0][2])
        parts.append(element("dl", *pairs, class_="facts"))
    return [*parts, *(_models(index, summary, many) for index, summary, _ in told if _several_models(summary))]


def _several_models(summary: RunSummary) -> bool:
    return summary.models is not None and bool(summary.models.models)


def _models(index: int, summary: RunSummary, many: bool) -> Html:
    assert summary.models is not None
    totals = summary.models
    rows: list[list[Content]] = [
        [
            use.model,
            f"{use.calls:,}",
            text.percent(use.calls / totals.calls if totals.calls else None),
            text.count(use.tokens_in),
            text.count(use.tokens_out),
            text.usd(use.usd),
            text.of(use.attempts, totals.attempts),
        ]
        for use in totals.models
    ]
    key = Html(f'<svg class="key" viewBox="0 0 16 16" aria-hidden="true">{mark(index, 8, 8)}</svg>') if many else None
    headings: list[Content] = [join([key, "Model"]), "Calls", "Share of calls", "Tokens in", "Tokens out", "Cost"]
    headings.append("Attempts that asked it")
    prices = f" Prices: {', '.join(totals.prices)}." if totals.prices else ""
    caption = f"{f'{summary.run.name}: by' if many else 'By'} model.{prices}"
    return table(headings, rows, caption=caption)
