"""Inline SVG with time to the right: each attempt's score, or a run's medals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from mlebench import text
from mlebench.grading.report import Thresholds
from mlebench.reporting.axes import ScoreAxis, score_axis, spread
from mlebench.reporting.overtime import Step
from mlebench.reporting.plot import (
    INNER_HEIGHT,
    INNER_WIDTH,
    MARK_STYLES,
    Plot,
    axis_title,
    mark,
    opened,
    score_grid,
    threshold_lines,
)

_UNITS = ((3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))
_NICE = {
    "hours": (1, 2, 3, 4, 6, 8, 12, 24, 48, 96),
    "minutes": (1, 2, 5, 10, 15, 20, 30),
    "seconds": (1, 2, 5, 10, 15, 20, 30),
}


@dataclass(frozen=True)
class Curve:
    """One attempt over time."""

    steps: Sequence[Step]
    series: int
    """Index of its run; decides colour and shape."""
    label: str


@dataclass(frozen=True)
class TimeAxis:
    """From the start to `seconds`, in the unit that reads best."""

    seconds: float

    @property
    def unit(self) -> tuple[float, str]:
        """Seconds in one, and its name."""
        return next((unit for unit in _UNITS if self.seconds >= 2 * unit[0]), _UNITS[-1])

    def x(self, seconds: float) -> float:
        """Distance from the left."""
        return min(1.0, max(0.0, seconds / self.seconds)) * INNER_WIDTH

    def ticks(self) -> list[tuple[float, str]]:
        """(distance, label) of round times."""
        size, name = self.unit
        most = self.seconds / size
        step = next((nice for nice in _NICE[name] if most / nice <= 6), most / 6)
        return [(self.x(n * step * size), f"{n * step:g}") for n in range(int(most / step + 1e-9) + 1)]

    def drawing(self) -> list[str]:
        """Ticks, numbers and title below the frame."""
        parts = []
        for x, label in self.ticks():
            parts.append(f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{INNER_HEIGHT}" y2="{INNER_HEIGHT + 4}"/>')
            parts.append(f'<text class="tick" x="{x:.1f}" y="{INNER_HEIGHT + 15}" text-anchor="middle">{label}</text>')
        return [*parts, axis_title(f"{self.unit[1]} since the agent's start")]


def score_over_time(
    name: str, thresholds: Thresholds, curves: Sequence[Curve], *, higher_is_better: bool
) -> Plot | None:
    """Each attempt's score as a staircase; None where no attempt has more than its end."""
    if not any(len(curve.steps) > 1 for curve in curves):
        return None
    times = [step.at_seconds for curve in curves for step in curve.steps]
    time_axis = TimeAxis(max(1.0, 1.02 * max(times)))
    scores = [step.score for curve in curves for step in curve.steps if step.score is not None]
    axis = score_axis(thresholds, (), scores, higher_is_better=higher_is_better, height=INNER_HEIGHT)
    title = f"{name}: score over time of {text.plural(len(curves), 'attempt')}"
    parts = [*opened(title), *score_grid(axis), *threshold_lines(axis, thresholds), *time_axis.drawing()]
    for curve in curves:
        parts.append(
            f'<path class="steps stroke-{curve.series % MARK_STYLES}" d="{_staircase(curve.steps, time_axis, axis)}">'
            f"<title>{escape(curve.label)}</title></path>"
        )
        last = curve.steps[-1] if curve.steps else None
        if last is not None and last.final and last.score is not None:
            parts.append(mark(curve.series, time_axis.x(last.at_seconds), axis.clipped(last.score), curve.label))
    parts.append("</g></svg>")
    notes = []
    invalid = sum(step.score is None for curve in curves for step in curve.steps if not step.final)
    if invalid:
        notes.append(f"{text.of(invalid, len(times))} points have no score: lines pause there.")
    outside = sum(not axis.shows(score) for score in scores)
    if outside:
        notes.append(f"{text.of(outside, len(scores))} scores lie beyond the axis and are drawn at its edge.")
    return Plot("".join(parts), notes)


def _staircase(steps: Sequence[Step], time_axis: TimeAxis, axis: ScoreAxis) -> str:
    path: list[str] = []
    drawing = False
    for step, after in pairwise([*steps, None]):
        if step is None or step.score is None:
            drawing = False
            continue
        y = axis.clipped(step.score)
        x = time_axis.x(step.at_seconds)
        path.append(f"{'L' if drawing else 'M'}{x:.1f} {y:.1f}")
        drawing = True
        if after is not None:
            path.append(f"L{time_axis.x(after.at_seconds):.1f} {y:.1f}")
    return "".join(path)


@dataclass(frozen=True)
class MedalCurve:
    """One run's share of competitions with any medal over time."""

    points: Sequence[tuple[float, float]]
    """(seconds, share), ascending; a step at each."""
    series: int
    """Index of the run among all that the page shows; decides colour and shape."""
    name: str
    meaningless: bool = False
    """Whether its medals are on synthetic data: drawn with dashes, the figure struck through."""

    @property
    def end(self) -> float:
        """Its last share."""
        return self.points[-1][1] if self.points else 0.0

    @property
    def label(self) -> str:
        """What its tooltip says."""
        void = " (synthetic)" if self.meaningless else ""
        return f"{self.name}: {text.percent(self.end)} at the end{void}"


def medals_over_time(runs: Sequence[MedalCurve], seconds: float) -> str:
    """A staircase for each run; `seconds` is where the axis ends."""
    time_axis = TimeAxis(max(1.0, seconds))
    most = max((value for run in runs for _, value in run.points), default=0.0)
    top = next(limit for limit in (0.1, 0.2, 0.4, 0.6, 0.8, 1.0) if most <= limit)
    parts = opened(f"Share of competitions with any medal over time: {', '.join(run.name for run in runs)}")
    parts.append(f'<rect class="frame" width="{INNER_WIDTH}" height="{INNER_HEIGHT}"/>')
    for part in range(5):
        y = INNER_HEIGHT * (1 - part / 4)
        parts.append(f'<line class="grid" x2="{INNER_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="-6" y="{y + 3.5:.1f}" text-anchor="end">{100 * top * part / 4:g} %</text>')
    parts += time_axis.drawing()
    ends = [INNER_HEIGHT * (1 - run.end / top) for run in runs]
    for run, end in zip(runs, ends, strict=True):
        style = f"steps stroke-{run.series % MARK_STYLES}{' void' if run.meaningless else ''}"
        path = _medal_staircase(run.points, time_axis, top)
        parts.append(f'<path class="{style}" d="{path}"><title>{escape(run.label)}</title></path>')
        parts.append(mark(run.series, INNER_WIDTH, end, run.label))
    return "".join([*parts, *_end_labels(runs, ends), "</g></svg>"])


def _medal_staircase(points: Sequence[tuple[float, float]], time_axis: TimeAxis, top: float) -> str:
    path: list[str] = []
    y = float(INNER_HEIGHT)
    for at, value in points:
        x, before = time_axis.x(at), y
        y = INNER_HEIGHT * (1 - value / top)
        path.append(f"M{x:.1f} {y:.1f}" if not path else f"L{x:.1f} {before:.1f}L{x:.1f} {y:.1f}")
    return "".join([*path, f"L{INNER_WIDTH} {y:.1f}"])


def _end_labels(runs: Sequence[MedalCurve], ends: Sequence[float]) -> list[str]:
    """The last shares at the right. Where labels were moved apart, the mark beside each says whose it is."""
    parts = []
    order = sorted(range(len(runs)), key=ends.__getitem__)
    for index, y in zip(order, spread([ends[n] for n in order], 13, 4, INNER_HEIGHT), strict=True):
        run, x = runs[index], INNER_WIDTH + 11
        if len(runs) > 1:
            parts.append(mark(run.series, x + 7, y, run.label))
            x += 17
        style = f"level-label{' void' if run.meaningless else ''}"
        parts.append(f'<text class="{style}" x="{x}" y="{y + 3.5:.1f}">{text.percent(run.end)}</text>')
    return parts
