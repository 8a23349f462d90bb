"""Upright boxes against polygon clipping, and their average precision against plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlebench.metrics.boxes3d import Found3d, UprightBoxes, iou_3d, mean_average_precision_3d, shared_ground

Box = tuple[float, float, float, float, float, float, float]
"""x, y, z, width, length, height, yaw"""
THRESHOLDS = np.array([0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95])


def upright(boxes: list[Box]) -> UprightBoxes:
    table = np.array(boxes, dtype=float).reshape(-1, 7)
    return UprightBoxes(table[:, :3], *table[:, 3:].T)


def ground(box: Box) -> list[tuple[float, float]]:
    """Corners as the sheet of the competition words them, anticlockwise."""
    x, y, _, width, length, _, yaw = box
    cos, sin = math.cos(yaw), math.sin(yaw)
    return [
        (x + s1 * length / 2 * cos + s2 * width / 2 * sin, y + s1 * length / 2 * sin - s2 * width / 2 * cos)
        for s1, s2 in ((1, 1), (1, -1), (-1, -1), (-1, 1))
    ]


def clipped_area(one: list[tuple[float, float]], other: list[tuple[float, float]]) -> float:
    """Area of the intersection of two convex polygons, by cutting one at every edge of the other."""
    points = np.array(one)
    for start, end in zip(other, [*other[1:], other[0]], strict=True):
        (ax, ay), (bx, by) = start, end
        kept = []
        sides = (bx - ax) * (points[:, 1] - ay) - (by - ay) * (points[:, 0] - ax)
        for i in range(len(points)):
            p, q, side_p, side_q = points[i - 1], points[i], sides[i - 1], sides[i]
            if (side_p >= 0) != (side_q >= 0):
                kept.append(p + side_p / (side_p - side_q) * (q - p))
            if side_q >= 0:
                kept.append(q)
        if len(kept) < 3:
            return 0.0
        points = np.array(kept)
    x, y = (points - points[0]).T
    return abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2


def plain_iou(a: Box, b: Box) -> float:
    overlap = min(a[2] + a[5] / 2, b[2] + b[5] / 2) - max(a[2] - a[5] / 2, b[2] - b[5] / 2)
    shared = clipped_area(ground(a), ground(b)) * max(0.0, overlap)
    return min(1.0, max(0.0, shared / (math.prod(a[3:6]) + math.prod(b[3:6]) - shared)))


POSITION = st.one_of(st.integers(-3, 3).map(float), st.floats(-3, 3))
SIZE = st.one_of(st.integers(1, 4).map(float), st.floats(0.1, 5))
YAW = st.one_of(st.sampled_from([0.0, math.pi / 2, -math.pi, math.pi / 4]), st.floats(-7, 7))
BOX = st.tuples(POSITION, POSITION, POSITION, SIZE, SIZE, SIZE, YAW)


@given(BOX, BOX)
def test_iou_is_that_of_clipped_polygons(a: Box, b: Box) -> None:
    assert iou_3d(upright([a]), upright([b]))[0] == pytest.approx(plain_iou(a, b), abs=1e-9)


@given(BOX, BOX, st.floats(-2000, 2000))
def test_iou_is_symmetric_and_does_not_depend_on_the_place(a: Box, b: Box, far: float) -> None:
    value = iou_3d(upright([a]), upright([b]))[0]
    assert iou_3d(upright([b]), upright([a]))[0] == pytest.approx(value, abs=1e-9)
    moved = [(box[0] + far, box[1] - far, *box[2:]) for box in (a, b)]
    assert iou_3d(upright(moved[:1]), upright(moved[1:]))[0] == pytest.approx(value, abs=1e-8)


@given(BOX)
def test_a_box_is_its_own_match(box: Box) -> None:
    assert iou_3d(upright([box]), upright([box]))[0] == pytest.approx(1.0, abs=1e-12)


def test_shared_ground_by_hand() -> None:
    square, diamond = (0, 0, 0, 2, 2, 1, 0), (0, 0, 0, 2, 2, 1, math.pi / 4)
    beside, inside = (2, 0, 0, 2, 2, 1, 0), (0.5, 0, 0, 1, 1, 1, 0)
    areas = shared_ground(upright([square] * 3), upright([diamond, beside, inside]))
    assert areas == pytest.approx([8 * (math.sqrt(2) - 1), 0, 1])


def plain_score(truth: list[tuple], guess: list[tuple], scenes: int) -> float:
    """(scene, class, score, box) on both sides, as the sheet of the competition words it."""
    values = []
    for scene in range(scenes):
        for threshold in THRESHOLDS:
            parts = []
            for label in sorted({one[1] for one in truth if one[0] == scene}):
                boxes = [one[3] for one in truth if one[:2] == (scene, label)]
                own = sorted((one for one in guess if one[:2] == (scene, label)), key=lambda one: -one[2])
                taken, hits = set(), []
                for one in own:
                    ious = [plain_iou(one[3], box) for box in boxes]
                    best = int(np.argmax(ious))
                    hits.append(ious[best] > threshold and best not in taken)
                    if hits[-1]:
                        taken.add(best)
                found = np.cumsum(hits)
                recall = np.r_[0.0, found / len(boxes), 1.0]
                precision = np.r_[0.0, found / np.arange(1, len(hits) + 1), 0.0]
                precision = np.maximum.accumulate(precision[::-1])[::-1]
                steps = np.flatnonzero(recall[1:] != recall[:-1])
                parts.append(float(np.sum((recall[steps + 1] - recall[steps]) * precision[steps + 1])) if own else 0.0)
            values.append(np.mean(parts))
    return float(np.mean(values))


def found(boxes: list[tuple]) -> Found3d:
    columns = list(zip(*boxes, strict=True)) or [[], [], [], []]
    return Found3d(
        np.array(columns[0], np.int64), np.array(columns[1], np.int64), upright(list(columns[3])), np.array(columns[2], float)
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(25))
def test_average_precision_is_that_of_plain_loops(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scenes = int(rng.integers(1, 5))
    truth, guess = [], []
    for scene in range(scenes):
        for _ in range(rng.integers(1, 6)):
            box = (*rng.uniform(0, 4, 3), *rng.uniform(1, 4, 3), rng.uniform(-4, 4))
            truth += [(scene, int(rng.integers(0, 3)), 1.0, box)] * int(rng.integers(1, 3))
            for _ in range(rng.integers(0, 4)):
                near = np.array(box) + rng.normal(0, rng.choice([0.0, 0.05, 0.3]), 7)
                near[3:6] = np.abs(near[3:6]) + 1e-3
                label = truth[-1][1] if rng.random() < 0.8 else int(rng.integers(-1, 3))
                guess.append((scene, label, float(rng.integers(0, 5)), tuple(near)))
    guess = [guess[i] for i in rng.permutation(len(guess))]
    value = mean_average_precision_3d(found(truth), found(guess), scenes=scenes, thresholds=THRESHOLDS)
    assert value == pytest.approx(plain_score(truth, guess, scenes), abs=1e-12)


def test_a_scene_without_boxes_asks_for_silence() -> None:
    box = (0, 0, 0, 1, 1, 1, 0)
    truth = found([(0, 0, 1.0, box)])
    assert mean_average_precision_3d(truth, truth, scenes=2, thresholds=THRESHOLDS) == 1.0
    noisy = found([(0, 0, 1.0, box), (1, -1, 1.0, box)])
    assert mean_average_precision_3d(truth, noisy, scenes=2, thresholds=THRESHOLDS) == 0.5
    assert mean_average_precision_3d(found([]), found([]), scenes=1, thresholds=THRESHOLDS) == 1.0
