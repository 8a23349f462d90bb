"""The tables of the HTML page."""

from __future__ import annotations

from collections.abc import Sequence

from mlebench import text
from mlebench.duration import format_duration
from mlebench.reporting import wording
from mlebench.reporting.fates import Fate
from mlebench.reporting.html_marks import pill, shares, void
from mlebench.reporting.markup import Content, Html, element, join, table
from mlebench.reporting.model import CompetitionSummary, RunSummary

_MEDALS = ("gold", "silver", "bronze")


def headline_table(summaries: Sequence[RunSummary]) -> Html:
    """Runs as rows, measures as columns."""
    rows: list[list[Content]] = []
    for summary in summaries:
        row = summary.headline
        results = text.of(row.attempts - row.attempts_missing, row.attempts)
        measured = shares(row.shares, wording.MEASURES, synthetic=bool(summary.run.synthetic))
        notes = [element("span", label, class_="tag alarm") for label in wording.marks(summary)]
        rows.append(
            [join([summary.run.name, *notes], " "), *measured, wording.over(row), len(summary.run.seeds), results]
        )
    headings = ["Run", *wording.MEASURES.values(), "Competitions", "Seeds", "Results"]
    return table(headings, rows, caption="Share of competitions in %: mean ± standard error over seeds")


def facts(summaries: Sequence[RunSummary]) -> Html:
    """Conditions of each run: a list for one, a table with one column a run for several."""
    by_run = [_facts(summary) for summary in summaries]
    if len(by_run) == 1:
        pairs = (element("div", element("dt", key), element("dd", value)) for key, value in by_run[0].items())
        return element("dl", *pairs, class_="facts")
    rows = [[key, *(cells[key] for cells in by_run)] for key in by_run[0]]
    headings = ["", *(summary.run.name for summary in summaries)]
    return table(headings, rows, caption="Under which conditions", class_="facts")


def _facts(summary: RunSummary) -> dict[str, Content]:
    run = summary.run
    replayed = run.replay == "replay"
    limits = [f"{run.cpus:g} CPUs" if run.cpus else "", f"{run.memory_gb:g} GB" if run.memory_gb else ""]
    return {
        "Agent": run.agent,
        "Model": _flagged(wording.model(summary) + (" (replayed)" if replayed else ""), replayed),
        "Sandbox": _flagged(wording.isolation(summary), run.isolated is False),
        "Network": _flagged(wording.network(summary), run.network != "none" or run.isolated is False),
        "Edition": run.edition,
        "Data": _flagged(wording.data_line(summary), bool(run.synthetic)),
        "Time limit": format_duration(run.time_limit_seconds),
        "Seeds": wording.seeds(run.seeds),
        "Budgets": wording.budgets(summary),
        "GPUs": _gpus(run.gpus_per_attempt, run.attempts_per_gpu),
        "Ends": wording.ends(summary),
        "Limits": ", ".join(filter(None, limits)) or "the sandbox's defaults",
        "Image": " ".join(filter(None, [run.image, *(id_[:19] for id_ in run.image_ids)])) or text.UNDEFINED,
        "Versions": ", ".join(f"{name} {version}" for name, version in run.versions.items()),
        "Run id": run.id,
    }


def summary_table(summary: RunSummary, *, named: bool) -> Html:
    """Rows by complexity and by group."""
    rows = []
    for row in summary.rows:
        made_up = text.synthetic_part(row.competitions_synthetic, row.competitions)
        measured = shares(row.shares, wording.MEASURES, synthetic=bool(made_up))
        results = text.of(row.competitions_with_result, row.competitions)
        attempts = text.of(row.attempts - row.attempts_missing, row.attempts)
        rows.append([wording.ROWS[row.name] + made_up, wording.over(row), results, attempts, *measured])
    headings = ["", "Competitions", "With all results", "Results", *wording.MEASURES.values()]
    title = f"{summary.run.name}: by complexity and group" if named else "By complexity and group"
    return table(headings, rows, caption=f"{title}; share of competitions in %, mean ± standard error over seeds")


def competition_table(summaries: Sequence[RunSummary]) -> Html:
    """One row for each competition of each run."""
    many = len(summaries) > 1
    rows = [
        _competition_row(competition, summary.run.name if many else None)
        for summary in summaries
        for competition in summary.competitions
    ]
    headings = ["Competition", *(["Run"] if many else []), "Complexity", "Metric", "Best", "Mean", "Valid", "Medals"]
    headings += ["Above median", "Percentile", "Best rank"]
    caption = "Best, mean and percentile over scored attempts; valid of those with a result"
    return table(headings, rows, caption=caption, class_="sortable")


def _competition_row(competition: CompetitionSummary, run: str | None) -> list[Content]:
    stats = competition.statistics
    arrow = {True: " ↑", False: " ↓", None: ""}[competition.higher_is_better]
    name = element("a", competition.id, href=f"#{anchor(competition.id)}")
    tag = element("span", "synthetic", class_="tag alarm") if competition.synthetic else None
    missing = stats.attempts - stats.results
    lacking = element("span", f"{missing} missing", class_="tag caution") if missing else None
    medals = [
        pill(f"{count} {medal}", medal, synthetic=competition.synthetic)
        for medal in _MEDALS
        if (count := getattr(stats, medal))
    ]
    return [
        join([name, tag], " "),
        *([run] if run else []),
        competition.complexity or competition.group or text.UNDEFINED,
        element("span", f"{competition.metric or 'unknown'}{arrow}", class_="metric"),
        text.brief(stats.best_score),
        text.brief(stats.mean_score),
        join([text.of(stats.scored, stats.results), lacking], " "),
        join(medals, " ") if medals else text.UNDEFINED,
        void(text.of(stats.above_median, stats.results), competition.synthetic),
        void(text.percentile(stats.mean_percentile), competition.synthetic) if stats.scored else text.UNDEFINED,
        void(text.rank(stats.best_rank, None, None, competition.teams), competition.synthetic)
        if stats.scored
        else text.UNDEFINED,
    ]


def fate_table(summary: RunSummary, *, named: bool) -> Html:
    """What became of the attempts; the counts add up to all of them."""
    rows: list[list[Content]] = []
    for count in summary.fates:
        what = text.words(count.fate) + (f": {text.words(count.reason)}" if count.reason else "")
        listed = ", ".join(count.attempts[:4]) + (f" and {count.count - 4} more" if count.count > 4 else "")
        examples = listed if count.fate is not Fate.SCORED else ""
        rows.append(
            [
                what,
                count.count,
                join([_bar(count.share), text.percent(count.share)], " "),
                element("span", examples, class_="ids"),
            ]
        )
    caption = f"{summary.run.name}: one fate for each attempt" if named else "One fate for each planned attempt"
    return table(["Fate", "Attempts", "Share", "Which"], rows, caption=caption)


def anchor(competition_id: str) -> str:
    """The page's id of a competition's card."""
    return f"c-{competition_id}"


def _gpus(each: int, sharing: int) -> str:
    shared = f", shared by {sharing}" if each and sharing > 1 else ""
    return f"{each} for each attempt{shared}" if each else "none"


def _flagged(value: str, alarm: bool) -> Content:
    return element("span", value, class_="tag alarm") if alarm else value


def _bar(share: float) -> Html:
    width = f"{max(share, 0.004) * 100:.1f}"
    return Html(
        '<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="rest" width="100" height="8"/><rect width="{width}" height="8"/></svg>'
    )
