"""Small pieces that the page's tables, cards and plots share: the key of a run, medals, figures that mean nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mlebench import text
from mlebench.reporting import wording
from mlebench.reporting.markup import Content, Html, element
from mlebench.reporting.markup import text as escaped
from mlebench.reporting.plot import mark
from mlebench.reporting.statistics import Estimate, Measure

_WHY_VOID = "means nothing: synthetic data"


def void(content: Content, meaningless: bool) -> Content:
    """The content, struck through where it means nothing."""
    return element("s", content, title=_WHY_VOID) if meaningless else content


def shares(of: Mapping[Measure, Estimate], measures: Iterable[Measure], *, synthetic: bool) -> list[Content]:
    """A cell for each measure; struck through where synthetic data makes it meaningless."""
    return [
        void(text.estimate(of[measure]), synthetic and measure in wording.AGAINST_LEADERBOARD) for measure in measures
    ]


def pill(label: str, kind: str, *, synthetic: bool) -> Html:
    """What was earned (kind: gold, silver, bronze, above); on synthetic data struck through and without its colour."""
    if synthetic:
        return element("s", label, class_="tag void", title=_WHY_VOID)
    return element("span", label, class_=f"tag {kind}")


def key(index: int, name: str | None = None) -> Html:
    """The mark of a run in its plots; `name` is read out where nothing beside it says which run it is."""
    said = 'aria-hidden="true"' if name is None else f'role="img" aria-label="{escaped(name)}"'
    return Html(f'<svg class="key" viewBox="0 0 16 16" {said}>{mark(index, 8, 8)}</svg>')


def legend(runs: Iterable[tuple[int, Content]]) -> Html:
    """Which mark is which run's: (index, name)."""
    items = [element("li", key(index), name) for index, name in runs]
    return element("ul", *items, class_="legend", aria_label="Marks of the runs")
