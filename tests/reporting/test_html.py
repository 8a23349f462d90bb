"""The page: self-contained, well-formed, hostile text is harmless; the plots' geometry."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_runs import BOARD, make_attempt, make_grade, make_long_attempt, make_run

from mlebench import text
from mlebench.errors import UsageError
from mlebench.grading.report import Outcome, Thresholds
from mlebench.registry import Registry
from mlebench.reporting import wording
from mlebench.reporting.axes import RankAxis, score_axis, spread
from mlebench.reporting.html import render_page, write_page
from mlebench.reporting.markup import element
from mlebench.reporting.model import RunSummary
from mlebench.reporting.plot import Point, leaderboard_plot
from mlebench.reporting.summary import summarise
from mlebench.running.records import End

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>\x1b[2J\u202e${body}'
THRESHOLDS = Thresholds(gold=BOARD.gold, silver=BOARD.silver, bronze=BOARD.bronze, median=BOARD.median)


class _Checker(HTMLParser):
    """Collects what matters and checks that tags are balanced."""

    void = frozenset({"meta", "link", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.shown = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.void:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.shown += data


def _check(page: str) -> _Checker:
    checker = _Checker()
    checker.feed(page)
    checker.close()
    assert checker.open == []
    return checker


def _page(registry: Registry, **changes: object) -> str:
    attempts = [
        make_attempt("apple", 0, make_grade("apple", 0.9)),
        make_attempt("apple", 1, make_grade("apple", None), end=End.CRASHED, message=HOSTILE),
        make_attempt("cherry", 0, make_grade("cherry", None, outcome=Outcome.INVALID, reason="x", message=HOSTILE)),
        make_attempt("cherry", 1, None, end=None),
    ]
    return render_page([summarise(make_run(attempts, **changes), registry)])  # type: ignore[arg-type]


def test_the_page_is_well_formed_and_asks_nobody_for_anything(registry: Registry) -> None:
    page = _page(registry)
    checker = _check(page)
    for tag, attributes in checker.tags:
        assert not {key for key in attributes if key.startswith("on") or key in ("src", "style", "srcset")}, tag
        assert (attributes.get("href") or "#").startswith(("#", "data:")), tag
    assert "http://" not in page and "https://" not in page and "url(" not in page and "@import" not in page
    ids = [attributes["id"] for _, attributes in checker.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {attributes["href"] for tag, attributes in checker.tags if tag == "a"} <= {f"#{name}" for name in ids}


def test_hostile_text_is_shown_not_obeyed(registry: Registry) -> None:
    page = _page(registry, agent=HOSTILE, name="run <b>")
    checker = _check(page)
    assert [tag for tag, _ in checker.tags].count("script") == 1
    assert not [tag for tag, _ in checker.tags if tag in ("img", "iframe", "object", "form")]
    assert "\x1b" not in page and "\u202e" not in page
    assert "<script>alert(1)</script>" in checker.shown  # as text
    assert "${body}" in checker.shown


def test_headline_says_over_how_many_and_shows_an_undefined_error_as_a_dash(registry: Registry) -> None:
    attempts = [make_attempt("apple", 0, make_grade("apple", 0.9))]
    shown = _check(render_page([summarise(make_run(attempts), registry)])).shown
    assert "1 of 3 competitions, 1 seed" in shown
    assert "100.0 ± – %" in shown
    assert "± 0" not in shown


def test_synthetic_data_is_loud(registry: Registry) -> None:
    attempts = [make_attempt("apple", 0, make_grade("apple", 0.9, data_source="synthetic"))]
    page = render_page([summarise(make_run(attempts, sandbox="process"), registry)])
    shown = _check(page).shown
    assert "Synthetic data." in shown and "mean nothing" in shown and "NOT isolated" in shown
    assert "means nothing: synthetic data" in shown
    assert "Synthetic data." not in _check(_page(registry)).shown


def _struck(page: str) -> list[str]:
    """Everything that is struck through, as text."""
    parts = re.findall(r"<s\b[^>]*>(.*?)</s>", page)
    return [re.sub(r"<[^>]+>", "", part) for part in parts]


def _synthetic(registry: Registry, name: str = "made-up") -> RunSummary:
    long = [make_long_attempt("apple", seed, [(60.0, 0.75), (7200.0, 0.95)], hours=4) for seed in (0, 1)]
    change = {"data_source": "synthetic"}
    attempts = [
        one.model_copy(
            update={
                "grade": one.grade.model_copy(update=change),
                "snapshots": [s.model_copy(update={"grade": s.grade.model_copy(update=change)}) for s in one.snapshots],
            }
        )
        for one in long
        if one.grade
    ]
    real = [make_attempt("mine", seed, make_grade("mine", 0.85)) for seed in (0, 1)]
    return summarise(make_run([*attempts, *real], name=name), registry)


def test_figures_on_synthetic_data_are_struck_through_wherever_they_stand(registry: Registry) -> None:
    page = render_page([_synthetic(registry)])
    struck = _struck(page)
    assert struck.count("gold") == 2 and "2 gold" in struck  # on the card and among the competitions
    assert "2 silver" not in struck and 'class="tag silver">2 silver' in page  # of mine, whose data is real
    assert 'class="tag gold"' not in page
    assert "100.0 ± 0.0 %" in struck and "50.0 ± 0.0" in struck  # a card of the headline, rows of tables
    assert "4 of 4" in struck and "100.0" in struck and "1" in struck  # milestones, percentile, rank
    assert 'class="steps stroke-0 void"' in page and 'class="level-label void"' in page
    assert "seed 0: 0.95, rank 1 of 100, gold (synthetic)" in page  # a tooltip
    valid = re.search(r'<li class="valid">.*?</li>', page)
    assert valid is not None and "<s " not in valid[0]  # what is valid is so whatever the data


def test_runs_side_by_side_strike_through_only_those_on_synthetic_data(registry: Registry) -> None:
    real = summarise(make_run([make_attempt("apple", s, make_grade("apple", 0.9)) for s in (0, 1)]), registry)
    page = render_page([real, _synthetic(registry)])
    table = page[page.index("Runs side by side") :]
    first, second = re.findall(r"<tr>(.*?)</tr>", table)[1:3]
    assert "<s" not in first and second.count("<s ") == 5 and "synthetic data in 1 of 2" in second
    assert 'class="tag gold"' in page and 'class="tag void"' in page
    assert _struck(render_page([real])) == []


def test_rows_without_synthetic_data_keep_their_figures(registry: Registry) -> None:
    page = render_page([_synthetic(registry)])
    rows = dict(re.findall(r'<tr><th scope="row">(Low|Benchmark|Own competitions|Whole run)(.*?)</tr>', page))
    assert {name for name, row in rows.items() if "<s " in row} == {"Low", "Benchmark", "Whole run"}
    assert "(synthetic)" in rows["Low"] and "(1 synthetic)" in rows["Whole run"]


def test_runs_without_graded_snapshots_are_named_not_drawn(registry: Registry) -> None:
    """A curve at 0 % would say that they earned nothing."""
    ended = summarise(make_run([make_attempt("apple", 0, make_grade("apple", 0.9))], name="ended"), registry)
    watched = [
        summarise(make_run([make_long_attempt("apple", 0, [(3600.0, 0.75)], hours=4)], name=name), registry)
        for name in ("early", "late")
    ]
    page = render_page([ended, *watched])
    figure = re.search(r"<figure>.*?</figure>", page)
    assert figure is not None
    assert re.findall(r'class="steps ([^"]*)"', figure[0]) == ["stroke-1", "stroke-2"]  # their colours elsewhere
    assert "0.0 % at the end" not in figure[0].replace("100.0 %", "")
    assert "since no snapshots were graded: ended, 100.0 % at the end." in figure[0]
    legend = re.search(r'<ul class="legend".*?</ul>', figure[0])
    assert legend is not None and "early" in legend[0] and "late" in legend[0] and "ended" not in legend[0]
    # Which percentage is whose, where labels had to be moved apart.
    assert figure[0].count('class="mark mark-1"') == 3 and figure[0].count('class="mark mark-2"') == 3
    alone = re.search(r"<figure>.*?</figure>", render_page(watched[:1]))
    assert alone is not None and "legend" not in alone[0] and "Without a curve" not in alone[0]


def test_captions_stand_outside_of_what_scrolls(registry: Registry) -> None:
    """Within, a caption is as wide as its table and cut at the edge of a narrow screen."""
    page = _page(registry)
    assert "<caption" not in page
    starts = re.findall(r'<div class="table"><p class="caption">[^<]+</p><div class="scroll"', page)
    assert len(starts) == page.count("<table ") == page.count('class="scroll"') > 3


def test_what_a_run_was_stands_on_one_line_and_no_date_breaks(registry: Registry) -> None:
    page = _page(registry)
    assert "header p { max-width: none; }" in page and "time { white-space: nowrap; }" in page
    assert 'started <time datetime="2026-11-01T12:00Z">2026-11-01 12:00 UTC</time>' in page


@pytest.mark.parametrize(
    ("made_up", "compared"),
    [
        (["apple"], "with a real leaderboard and mean"),
        (["mine"], "with thresholds of the competitions' own and mean"),
        (["apple", "mine"], "with archived thresholds and mean"),
    ],
)
def test_the_warning_says_truly_what_made_up_scores_are_compared_with(
    registry: Registry, made_up: list[str], compared: str
) -> None:
    attempts = [
        make_attempt(name, 0, make_grade(name, 0.9, data_source="synthetic" if name in made_up else "kaggle"))
        for name in ("apple", "mine")
    ]
    told = dict(wording.warnings(summarise(make_run(attempts), registry)))
    assert compared in told[wording.SYNTHETIC]


def test_several_runs_stand_side_by_side(registry: Registry) -> None:
    runs = [make_run([make_attempt("apple", 0, make_grade("apple", s))], name=n) for n, s in (("one", 0.9), ("two", 0))]
    checker = _check(render_page([summarise(run, registry) for run in runs]))
    assert "Runs side by side" in checker.shown
    assert {"mark mark-0", "mark mark-1"} <= {attributes.get("class") for _, attributes in checker.tags}


def test_the_page_is_written_whole_or_not_at_all(registry: Registry, tmp_path: Path) -> None:
    summary = summarise(make_run([make_attempt("apple", 0, make_grade("apple", 0.9))]), registry)
    write_page(tmp_path / "new" / "report.html", [summary])
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["report.html"]
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        write_page(tmp_path / "file" / "report.html", [summary])


def test_text_is_escaped_wherever_it_stands() -> None:
    assert element("p", "<&>", title='"') == '<p title="&quot;">&lt;&amp;&gt;</p>'
    assert element("p", element("b", "<")) == "<p><b>&lt;</b></p>"
    assert text.clean("a\x00b\ud800") == "a\ufffdb\ufffd"
    assert len(text.clean("x" * 9999)) == 400


def _plot(points: list[Point], *, ranked: bool = True, **changes: object) -> tuple[str, list[str]]:
    table = {"teams": BOARD.teams, "ranks": BOARD.ranks, "scores": BOARD.scores} if ranked else {}
    plot = leaderboard_plot("x", THRESHOLDS, points, higher_is_better=True, **{**table, **changes})  # type: ignore
    return plot.svg, plot.notes


def test_plot_marks_every_attempt_and_labels_every_level() -> None:
    svg, notes = _plot([Point(0.9, 10, 0, "seed 0"), Point(0.2, 80, 1, "seed 1 <")])
    assert svg.count('class="mark') == 2
    assert "seed 1 &lt;" in svg
    assert re.findall(r"<tspan[^>]*>(\w+)</tspan> ([\d.]+)", svg) == [
        ("gold", "0.9"), ("silver", "0.8"), ("bronze", "0.7"), ("median", "0.5"),
    ]  # fmt: skip
    assert "<polyline" in svg and not notes


def test_without_a_rank_table_the_rank_is_said_to_be_unknown() -> None:
    svg, notes = _plot([Point(0.9, None, 0, "")], ranked=False)
    assert "<polyline" not in svg
    assert any("Rank unknown" in note for note in notes)


def test_a_wild_tail_is_clipped_and_said() -> None:
    wild = (*BOARD.scores[:-1], -1e9)
    svg, notes = _plot([Point(-1e9, 100, 0, "worst")], scores=wild)
    assert any("worst archived scores" in note for note in notes)
    assert any("1 of 1 attempts lie beyond the axis" in note for note in notes)
    assert 'class="off-scale"' in svg
    numbers = [float(n) for n in re.findall(r'(?:cx|cy|x|y|x1|x2|y1|y2)="(-?[\d.]+)"', svg)]
    assert all(-60 <= n <= 400 for n in numbers)


FINITE = st.floats(-1e12, 1e12, allow_nan=False)


@given(
    st.lists(FINITE, min_size=4, max_size=4), st.lists(FINITE, max_size=30), st.lists(FINITE, max_size=5), st.booleans()
)
def test_axis_always_shows_the_thresholds(
    levels: list[float], scores: list[float], tried: list[float], up: bool
) -> None:
    gold, silver, bronze, median = sorted(levels, reverse=up)
    thresholds = Thresholds(gold=gold, silver=silver, bronze=bronze, median=median)
    axis = score_axis(thresholds, scores, tried, higher_is_better=up, height=200.0)
    assert all(axis.shows(level) for level in levels)
    assert axis.y(gold) <= axis.y(median)
    assert 1 <= len(axis.ticks()) <= 12
    hidden = [score for score in scores if not axis.shows(score)]
    assert not hidden or axis.hides_top or axis.hides_tail


@given(st.integers(1, 10_000), st.integers(1, 10_001), st.integers(1, 10_001))
def test_rank_axis_ascends_and_stays_inside(teams: int, one: int, two: int) -> None:
    axis = RankAxis(teams, 208.0)
    low, high = sorted((one, two))
    assert 0.0 <= axis.x(low) <= axis.x(high) <= 208.0
    ticks = axis.ticks()
    assert ticks == sorted(set(ticks)) and ticks[0] == 1 and (teams == 1 or ticks[-1] <= teams)


@given(st.lists(st.floats(0, 200), max_size=6).map(sorted), st.floats(1, 30))
def test_labels_are_spread_in_order_and_inside(positions: list[float], gap: float) -> None:
    placed = spread(positions, gap, 0.0, 200.0)
    assert len(placed) == len(positions)
    assert all(-1e-6 <= value <= 200.0 + 1e-6 for value in placed)
    assert all(b - a >= gap - 1e-6 for a, b in pairwise(placed))


def test_scores_over_time_are_drawn_well_formed_and_inside(registry: Registry) -> None:
    points = [(3600.0, 0.75), (7200.0, None), (10_800.0, 0.95)]
    attempts = [make_long_attempt("apple", seed, points, hours=4 + seed) for seed in (0, 1)]
    hostile = make_run(attempts, name="<i>&name", model='"><b>', role_models={"<u>": "<s>"})
    page = render_page([summarise(hostile, registry), summarise(make_run(attempts), registry)])
    checker = _check(page)
    assert not {"i", "u", "s"} & {tag for tag, _ in checker.tags}
    paths = [attributes for tag, attributes in checker.tags if tag == "path" and "steps" in (attributes["class"] or "")]
    assert len(paths) == 4 + 2  # each attempt in its card, each run in the plot of medals
    for attributes in paths:
        for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", attributes["d"] or ""):
            assert 0 <= float(x) <= 360 and -1 <= float(y) <= 250
    assert "Score over time" in checker.shown and "lines pause there" in checker.shown
