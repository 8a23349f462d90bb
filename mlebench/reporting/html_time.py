"""The page's sections on score over time and on what models and machines took."""

from __future__ import annotations

from collections.abc import Sequence

from mlebench import text
from mlebench.duration import format_duration
from mlebench.reporting import wording
from mlebench.reporting.html_marks import key, legend, shares, void
from mlebench.reporting.markup import Content, Html, element, join, table
from mlebench.reporting.model import RunSummary
from mlebench.reporting.statistics import Measure
from mlebench.reporting.timeplot import MedalCurve, medals_over_time


def over_time_section(summaries: Sequence[RunSummary]) -> list[Html]:
    """Medals over time of every run with graded snapshots; nothing where none has any."""
    told = [summary for summary in summaries if summary.over_time is not None]
    if not told:
        return []
    tables = [_milestones(summary, named=len(summaries) > 1) for summary in told]
    return [
        element("h2", "Score over time"),
        element("div", _medals_figure(summaries), element("div", *tables), class_="over-time"),
    ]


def _medals_figure(summaries: Sequence[RunSummary]) -> Html:
    """Curves of the runs with graded snapshots. Of the others only the end is known, so no curve is drawn of them."""
    drawn = [(index, summary, over) for index, summary in enumerate(summaries) if (over := summary.over_time)]
    curves = [
        MedalCurve(over.medal_curve, index, summary.run.name, bool(summary.run.synthetic))
        for index, summary, over in drawn
    ]
    # To the end of the longest attempt: where all is over long before the limit, the rest would be empty.
    longest = max((a.seconds for _, s, _ in drawn for a in s.attempts if a.seconds is not None), default=0.0)
    plot = Html(medals_over_time(curves, longest))
    names = legend((index, join([s.run.name, _synthetic_tag(s)], " ")) for index, s, _ in drawn)
    notes: list[Content] = [
        "Share of competitions with any medal, mean over seeds; each attempt counts by its last snapshot at that time."
    ]
    if absent := [summary for summary in summaries if summary.over_time is None]:
        notes.append(join(["Without a curve, since no snapshots were graded: ", join(map(_end, absent), "; "), "."]))
    caption = element("figcaption", join(notes, " "), class_="note")
    return element("figure", plot, names if len(summaries) > 1 else None, caption)


def _end(summary: RunSummary) -> Html:
    share = summary.headline.shares[Measure.ANY_MEDAL].mean
    figure = void(f"{text.percent(share)} at the end", bool(summary.run.synthetic))
    return join([summary.run.name, ", ", figure])


def _synthetic_tag(summary: RunSummary) -> Html | None:
    mark = wording.synthetic_mark(summary)
    return element("span", mark, class_="tag alarm") if mark else None


def _milestones(summary: RunSummary, *, named: bool) -> Html:
    assert summary.over_time is not None
    over, made_up = summary.over_time, bool(summary.run.synthetic)
    shown = (Measure.ANY_MEDAL, Measure.GOLD, Measure.ABOVE_MEDIAN, Measure.VALID)
    rows: list[list[Content]] = [
        [
            format_duration(point.at_seconds),
            *shares(point.shares, shown, synthetic=made_up),
            void(text.of(point.medals, point.results), made_up),
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
    headings: list[Content] = [
        join([key(index) if many else None, "Model"]),
        "Calls",
        "Share of calls",
        "Tokens in",
        "Tokens out",
        "Cost",
    ]
    headings.append("Attempts that asked it")
    prices = f" Prices: {', '.join(totals.prices)}." if totals.prices else ""
    caption = f"{f'{summary.run.name}: by' if many else 'By'} model.{prices}"
    return table(headings, rows, caption=caption)
