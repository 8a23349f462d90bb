"""Inline SVG: attempts against the archived leaderboard, or a strip with the thresholds where no ranks are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from mlebench import text
from mlebench.grading.report import Thresholds
from mlebench.reporting.axes import RankAxis, ScoreAxis, score_axis, spread

WIDTH, HEIGHT = 360, 250
"""Size of a drawing in its own units; made to be shown at about that many pixels."""
LEFT, _RIGHT, TOP, _BOTTOM = 46, 106, 14, 36
_LABEL_GAP = 13
INNER_WIDTH, INNER_HEIGHT = WIDTH - LEFT - _RIGHT, HEIGHT - TOP - _BOTTOM
_SHAPES = ("circle", "square", "diamond", "triangle")
MARK_STYLES = 8
"""How many runs can be told apart by colour and shape (classes mark-0 ... in page.css)."""


@dataclass(frozen=True)
class Point:
    """One scored attempt."""

    score: float
    rank: int | None
    series: int
    """Index of its run; decides colour and shape."""
    label: str
    """What its tooltip says."""


@dataclass(frozen=True)
class Plot:
    """A drawing and what must be said beside it."""

    svg: str
    notes: list[str]


def leaderboard_plot(
    name: str,
    thresholds: Thresholds,
    points: Sequence[Point],
    *,
    higher_is_better: bool,
    teams: int | None = None,
    ranks: Sequence[int] = (),
    scores: Sequence[float] = (),
) -> Plot:
    """Draw one competition; with a rank table the curve of score at rank, otherwise a strip."""
    axis = score_axis(
        thresholds,
        scores,
        [point.score for point in points],
        higher_is_better=higher_is_better,
        height=INNER_HEIGHT,
    )
    ranked = bool(ranks) and teams is not None
    rank_axis = RankAxis(teams or 1, INNER_WIDTH) if ranked else None
    title = f"{name}: {len(points)} scored attempts against the archived leaderboard"
    parts = [
        *opened(title),
        *score_grid(axis),
        *threshold_lines(axis, thresholds),
    ]
    if rank_axis is not None:
        parts += _curve(axis, rank_axis, ranks, scores)
        parts += _rank_ticks(rank_axis)
    else:
        parts.append(axis_title("attempts side by side, rank unknown"))
    parts += _marks(axis, rank_axis, points)
    parts.append("</g></svg>")
    return Plot("".join(parts), _notes(axis, points, ranked=ranked, higher_is_better=higher_is_better))


def mark(series: int, x: float, y: float, label: str = "") -> str:
    """The marker of a run's attempts: colour and shape by the run's index."""
    tooltip = f"<title>{escape(label)}</title>" if label else ""
    attributes = f'class="mark mark-{series % MARK_STYLES}"'
    match _SHAPES[series % len(_SHAPES)]:
        case "circle":
            return f'<circle {attributes} cx="{x:.1f}" cy="{y:.1f}" r="5">{tooltip}</circle>'
        case "square":
            return f'<rect {attributes} x="{x - 4.5:.1f}" y="{y - 4.5:.1f}" width="9" height="9">{tooltip}</rect>'
        case "diamond":
            corners: tuple[tuple[float, float], ...] = ((0, -6), (6, 0), (0, 6), (-6, 0))
        case _:
            corners = ((0, -6), (5.5, 4.5), (-5.5, 4.5))
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)
    return f'<polygon {attributes} points="{points}">{tooltip}</polygon>'


def opened(title: str) -> list[str]:
    """The start of a drawing, up to the group that its frame is the origin of; ends with </g></svg>."""
    return [
        f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title>",
        f'<g transform="translate({LEFT},{TOP})">',
    ]


def score_grid(axis: ScoreAxis) -> list[str]:
    """The frame, lines at round scores, and the scores beside them."""
    ticks = axis.ticks()
    labels = _tick_labels(ticks)
    parts = [f'<rect class="frame" width="{INNER_WIDTH}" height="{INNER_HEIGHT}"/>']
    for value, label in zip(ticks, labels, strict=True):
        y = axis.y(value)
        parts.append(f'<line class="grid" x2="{INNER_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="-6" y="{y + 3.5:.1f}" text-anchor="end">{label}</text>')
    return parts


def _tick_labels(ticks: Sequence[float]) -> list[str]:
    largest = max(map(abs, ticks), default=0.0)
    if largest >= 1e5:
        scale, unit = next((s, u) for s, u in ((1e9, "G"), (1e6, "M"), (1e3, "k")) if largest >= s)
        return [f"{value / scale:.4g}{unit}" if value else "0" for value in ticks]
    step = min((b - a for a, b in pairwise(ticks)), default=largest or 1.0)
    decimals = next((d for d in range(7) if abs(step * 10**d - round(step * 10**d)) < 1e-6), 6)
    return [f"{0.0 if abs(value) < step / 1e6 else value:.{decimals}f}" for value in ticks]


def threshold_lines(axis: ScoreAxis, thresholds: Thresholds) -> list[str]:
    """Lines at the medals' thresholds and the median, named at the right."""
    rows = sorted(
        ((axis.clipped(value), name, value) for name, value in thresholds), key=lambda row: row[0]
    )  # ties keep the order gold, silver, bronze, median
    labels = spread([y for y, _, _ in rows], _LABEL_GAP, 4.0, INNER_HEIGHT - 2.0)
    parts = []
    for (y, name, value), label_y in zip(rows, labels, strict=True):
        right = INNER_WIDTH
        parts.append(f'<line class="level {name}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(
            f'<path class="leader {name}" d="M{right} {y:.1f}L{right + 8} {label_y:.1f}"/>'
            f'<text class="level-label" x="{right + 11}" y="{label_y + 3.5:.1f}">'
            f'<tspan class="name {name}">{name}</tspan> {_short(value)}</text>'
        )
    return parts


def _short(value: float) -> str:
    """A threshold in the little room beside the frame."""
    if abs(value) >= 1e5:
        return f"{value / 1e6:.2f}M"
    return f"{value:.4f}".rstrip("0").rstrip(".") if abs(value) < 10 else f"{value:.5g}"


def _curve(axis: ScoreAxis, rank_axis: RankAxis, ranks: Sequence[int], scores: Sequence[float]) -> list[str]:
    # A nested svg clips what lies outside of it, so a wild tail simply leaves the frame.
    far = 20 * INNER_HEIGHT
    points = " ".join(
        f"{rank_axis.x(rank):.1f},{min(far, max(-far, axis.y(score))):.1f}"
        for rank, score in zip(ranks, scores, strict=True)
    )
    size = f'width="{INNER_WIDTH}" height="{INNER_HEIGHT}"'
    return [f'<svg {size} overflow="hidden"><polyline class="curve" points="{points}"/></svg>']


def _rank_ticks(rank_axis: RankAxis) -> list[str]:
    parts = []
    for rank in rank_axis.ticks():
        x = rank_axis.x(rank)
        parts.append(f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{INNER_HEIGHT}" y2="{INNER_HEIGHT + 4}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{INNER_HEIGHT + 15}" text-anchor="middle">{rank:,}</text>')
    parts.append(axis_title(f"rank of {rank_axis.teams:,}"))
    return parts


def axis_title(label: str) -> str:
    """What the horizontal axis is."""
    x, y = INNER_WIDTH / 2, INNER_HEIGHT + 30
    return f'<text class="axis-title" x="{x:.1f}" y="{y}" text-anchor="middle">{escape(label)}</text>'


def _marks(axis: ScoreAxis, rank_axis: RankAxis | None, points: Sequence[Point]) -> list[str]:
    parts = []
    for index, point in enumerate(points):
        if rank_axis is not None and point.rank is not None:
            x = rank_axis.x(point.rank)
        else:
            x = (index + 0.5) / len(points) * INNER_WIDTH
        y = axis.clipped(point.score)
        if not axis.shows(point.score):
            inwards = -1 if y > 0 else 1
            base, tip = y + 7 * inwards, y + 2 * inwards
            parts.append(
                f'<path class="off-scale" d="M{x - 4:.1f} {base:.1f}L{x:.1f} {tip:.1f}L{x + 4:.1f} {base:.1f}"/>'
            )
            y += 14 * inwards
        parts.append(mark(point.series, x, y, point.label))
    return parts


def _notes(axis: ScoreAxis, points: Sequence[Point], *, ranked: bool, higher_is_better: bool) -> list[str]:
    notes = [] if higher_is_better else ["Lower scores are better: the axis is turned so that better is up."]
    if not ranked:
        notes.append("Rank unknown: no rank table is archived, only thresholds.")
    hidden = [word for word, hides in (("best", axis.hides_top), ("worst", axis.hides_tail)) if hides]
    if hidden:
        notes.append(f"The axis leaves out the {' and the '.join(hidden)} archived scores.")
    outside = sum(not axis.shows(point.score) for point in points)
    if outside:
        notes.append(f"{text.of(outside, len(points))} attempts lie beyond the axis (arrow at its edge).")
    return notes
