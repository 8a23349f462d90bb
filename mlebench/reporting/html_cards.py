"""The cards of the HTML page: for each competition a plot and its attempts."""

from __future__ import annotations

from collections.abc import Sequence

from mlebench import text
from mlebench.reporting.html_marks import key, legend, pill, void
from mlebench.reporting.html_tables import anchor
from mlebench.reporting.markup import Content, Html, element, join, table
from mlebench.reporting.model import AttemptSummary, CompetitionSummary, RunSummary
from mlebench.reporting.plot import Point, leaderboard_plot
from mlebench.reporting.timeplot import Curve, score_over_time
from mlebench.running.records import End

_Runs = list[tuple[int, str, CompetitionSummary]]
"""(index of the run, its name, its summary of one competition)."""


def competition_cards(summaries: Sequence[RunSummary]) -> list[Html]:
    """A legend, and the cards of all competitions of all runs."""
    by_competition: dict[str, _Runs] = {}
    for index, summary in enumerate(summaries):
        for competition in summary.competitions:
            by_competition.setdefault(competition.id, []).append((index, summary.run.name, competition))
    cards = [_card(runs, many=len(summaries) > 1) for runs in by_competition.values()]
    names = legend((index, summary.run.name) for index, summary in enumerate(summaries))
    return [names, element("div", *cards, class_="cards")]


def _card(runs: _Runs, *, many: bool) -> Html:
    first = runs[0][2]
    identity = anchor(first.id)
    return element(
        "article",
        element("h3", first.title, id=f"{identity}-title"),
        _tags(runs),
        element("div", *_plot(runs, many=many), *_time_plot(runs, many=many), class_="plots"),
        _attempts(runs, many=many),
        _source(first),
        class_="card",
        id=identity,
        aria_labelledby=f"{identity}-title",
    )


def _tags(runs: _Runs) -> Html:
    first = runs[0][2]
    tags: list[Content] = []
    made_up = [name for _, name, competition in runs if competition.synthetic]
    if made_up:
        where = "" if len(made_up) == len(runs) else f" in {', '.join(made_up)}"
        tags.append(element("span", f"synthetic data{where}: medals mean nothing", class_="tag alarm"))
    direction = {True: "higher is better", False: "lower is better", None: ""}[first.higher_is_better]
    metric = ", ".join(filter(None, (first.metric, direction)))
    for label in (first.id, first.complexity or first.group, metric):
        if label:
            tags.append(element("span", label, class_="tag"))
    return element("div", *tags, class_="tags")


def _plot(runs: _Runs, *, many: bool) -> list[Html]:
    first = next((c for _, _, c in runs if c.thresholds is not None), runs[0][2])
    if first.thresholds is None or first.higher_is_better is None:
        return [element("p", "No plot: nothing is known about this competition's leaderboard.", class_="note")]
    points = [
        Point(
            attempt.score,
            attempt.rank,
            index,
            _tooltip(attempt, name if many else None, synthetic=competition.synthetic),
        )
        for index, name, competition in runs
        for attempt in competition.attempts
        if attempt.score is not None
    ]
    board = first.leaderboard
    plot = leaderboard_plot(
        first.id,
        first.thresholds,
        points,
        higher_is_better=first.higher_is_better,
        teams=first.teams,
        ranks=board.ranks if board else (),
        scores=board.scores if board else (),
    )
    unscored = sum(attempt.score is None for _, _, c in runs for attempt in c.attempts)
    notes = [*plot.notes]
    if unscored:
        notes.append(f"{text.of(unscored, unscored + len(points))} attempts have no score.")
    return [Html(plot.svg), *([element("p", " ".join(notes), class_="note")] if notes else [])]


def _time_plot(runs: _Runs, *, many: bool) -> list[Html]:
    first = next((c for _, _, c in runs if c.thresholds is not None), runs[0][2])
    if first.thresholds is None or first.higher_is_better is None:
        return []
    curves = [
        Curve(attempt.steps, index, _tooltip(attempt, name if many else None, synthetic=competition.synthetic))
        for index, name, competition in runs
        for attempt in competition.attempts
    ]
    plot = score_over_time(first.id, first.thresholds, curves, higher_is_better=first.higher_is_better)
    if plot is None:
        return []
    shown = element("p", " ".join(plot.notes), class_="note") if plot.notes else None
    return [Html(plot.svg), *([shown] if shown else [])]


def _tooltip(attempt: AttemptSummary, run: str | None, *, synthetic: bool) -> str:
    place = f", {text.standing_text(*_standing(attempt))}" if attempt.rank else ""
    medal = f", {text.medal(attempt.medal, synthetic=synthetic)}" if attempt.medal else ""
    return f"{f'{run}, ' if run else ''}seed {attempt.seed}: {text.number(attempt.score)}{place}{medal}"


def _standing(attempt: AttemptSummary) -> tuple[int | None, int | None, int | None, int | None]:
    """Rank, its bounds, and how many teams it is of."""
    teams = attempt.grade.teams if attempt.grade else None
    return attempt.rank, attempt.rank_low, attempt.rank_high, teams


def _attempts(runs: _Runs, *, many: bool) -> Html:
    rows: list[list[Content]] = []
    remarks: list[Html] = []
    for index, name, competition in runs:
        for attempt in competition.attempts:
            who = f"{name}, seed {attempt.seed}" if many else f"Seed {attempt.seed}"
            mark = key(index, name) if many else None
            rows.append([join([mark, attempt.seed]), *_cells(attempt, synthetic=competition.synthetic)])
            if attempt.message:
                remarks.append(element("li", element("b", f"{who}: "), attempt.message))
    headings = ["Seed", "Score", "Earned", "Rank", "Pct."]
    listed = table(headings, rows, caption=f"Attempts at {runs[0][2].id}")
    return join([listed, element("ul", *remarks, class_="remarks")]) if remarks else listed


def _cells(attempt: AttemptSummary, *, synthetic: bool) -> list[Content]:
    if attempt.score is None:
        what = text.words(attempt.fate) + (f": {text.words(attempt.reason)}" if attempt.reason else "")
        tag = element("span", what, class_="tag caution" if attempt.missing else "tag alarm")
        return [join([text.UNDEFINED, _cost(attempt)], " "), tag, text.UNDEFINED, text.UNDEFINED]
    tags: list[Content] = []
    if attempt.medal:
        tags.append(pill(attempt.medal, attempt.medal, synthetic=synthetic))
    elif attempt.above_median:
        tags.append(pill("above median", "above", synthetic=synthetic))
    # An agent that ended badly may still have left a scored submission.
    if attempt.end not in (None, End.FINISHED):
        tags.append(element("span", text.words(str(attempt.end)), class_="tag caution"))
    earned = join(tags, " ") if tags else text.UNDEFINED
    standing = _standing(attempt)
    bounds = element("small", told, class_="soft") if (told := text.rank_bounds(*standing)) else None
    rank = join([text.rank(*standing), bounds], " ")
    percentile = text.percentile(attempt.percentile) if attempt.rank else text.UNDEFINED
    score = join([text.brief(attempt.score), _cost(attempt)], " ")
    unknown = attempt.rank is None
    return [score, earned, *(void(cell, synthetic and not unknown) for cell in (rank, percentile))]


def _cost(attempt: AttemptSummary) -> Html | None:
    """Dollars and tokens below the score."""
    if attempt.calls is None:
        return None
    cost = f"{text.usd(attempt.usd)}, " if attempt.usd is not None else ""
    return element("small", f"{cost}{text.count(attempt.tokens)} tokens", class_="soft")


def _source(competition: CompetitionSummary) -> Html | None:
    board = competition.leaderboard
    if board is None:
        return None
    entries = f" {board.teams:,} entries." if board.teams else ""
    note = f" {board.note}" if board.note else ""
    return element("p", f"{board.source}{entries} ({board.date}){note}", class_="note")
