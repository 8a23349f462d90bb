"""Points in boxes, and the lenient average precision, against plain loops and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from mlebench.metrics import UndefinedMetricError
from mlebench.metrics.classification import average_precision
from mlebench.metrics.lenient_detection import PlacedBoxes, lenient_average_precision
from mlebench.metrics.pairs import pairs_of_equals
from mlebench.metrics.points import point_box_f1


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.2, 0.5, 0.7, -1.0])), min_size=1, max_size=30))
def test_average_precision_is_scikit_learns(rows: list[tuple[bool, float]]) -> None:
    labels, scores = map(np.array, zip(*rows, strict=True))
    assume(labels.any())
    assert average_precision(labels, scores) == pytest.approx(average_precision_score(labels, scores), abs=1e-12)


def test_average_precision_without_positives_is_undefined() -> None:
    with pytest.raises(UndefinedMetricError):
        average_precision([0, 0], [0.1, 0.2])


@given(st.lists(st.integers(0, 4), max_size=12), st.lists(st.integers(0, 4), max_size=12))
def test_pairs_of_equals_come_in_order(one: list[int], other: list[int]) -> None:
    found = [
        pair for i, j in pairs_of_equals(np.array(one, int), np.array(other, int)) for pair in zip(i, j, strict=True)
    ]
    assert found == [(i, j) for i in range(len(one)) for j in range(len(other)) if one[i] == other[j]]


def test_many_pairs_come_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlebench.metrics.pairs._PAIRS_AT_ONCE", 5)
    parts = [len(i) for i, _ in pairs_of_equals(np.zeros(4, int), np.zeros(3, int))]
    assert parts == [3, 3, 3, 3]


def plain_f1(truth: list[tuple], guess: list[tuple]) -> float:
    used, hits = set(), 0
    for key, x, y, width, height in truth:
        for number, (other, px, py) in enumerate(guess):
            if number not in used and other == key and x < px < x + width and y < py < y + height:
                used.add(number)
                hits += 1
                break
    if not hits:
        return 0.0
    precision, recall = hits / len(guess), hits / len(truth)
    return 2 * precision * recall / (precision + recall)


SMALL = st.integers(0, 6)
TRUTH = st.lists(st.tuples(st.integers(0, 2), SMALL, SMALL, SMALL, SMALL), min_size=1, max_size=10)
GUESS = st.lists(st.tuples(st.integers(-1, 2), SMALL, SMALL), min_size=1, max_size=14)


@given(TRUTH, GUESS)
def test_points_in_boxes(truth: list[tuple], guess: list[tuple]) -> None:
    boxes, points = np.array(truth), np.array(guess)
    low = boxes[:, 1:3]
    value = point_box_f1(boxes[:, 0], low, low + boxes[:, 3:], points[:, 0], points[:, 1:])
    assert value == pytest.approx(plain_f1(truth, guess))


def plain_iou(a: tuple, b: tuple) -> float:
    shared = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return shared / union if union > 0 else 0.0


def plain_lenient(truth: list[tuple], guess: list[tuple], rows: int) -> float:
    """(row, class, score, box) on both sides, as the sheet of the competition words it."""
    values = []
    for label in sorted({one[1] for one in truth}):
        outcome, scores = [], []
        for row in range(rows):
            free = [one[3] for one in truth if one[:2] == (row, label)]
            own = sorted((one for one in guess if one[:2] == (row, label)), key=lambda one: -one[2])
            if not free and not own:
                outcome.append(0)
                scores.append(0.0)
            for one in own:
                ious = [plain_iou(one[3], box) for box in free]
                best = int(np.argmax(ious)) if ious else -1
                hit = bool(ious) and ious[best] > 0.5
                if hit:
                    free.pop(best)
                outcome.append(int(hit))
                scores.append(one[2])
            outcome += [1] * len(free)
            scores += [0.0] * len(free)
        values.append(average_precision_score(outcome, scores))
    return float(np.mean(values))


def placed(boxes: list[tuple]) -> PlacedBoxes:
    table = np.array([(*one[:3], *one[3]) for one in boxes], dtype=float).reshape(-1, 7)
    return PlacedBoxes(table[:, 0].astype(int), table[:, 1].astype(int), table[:, 3:], table[:, 2])


@pytest.mark.parametrize("seed", range(40))
def test_lenient_average_precision_is_that_of_plain_loops(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, classes = 12, 3
    truth = [
        (row, label, 1.0, tuple(rng.integers(0, 4, 2)) + tuple(rng.integers(5, 9, 2)))
        for row in range(rows - 1)
        for label in range(classes)
        for _ in range(rng.integers(0, 3))
    ]
    guess = [
        (
            int(rng.integers(0, rows)) if rng.random() < 0.1 else one[0],
            one[1],
            float(rng.choice([-0.5, 0.0, 0.3, 0.6])),
            tuple(np.array(one[3]) + rng.integers(-2, 3, 4)),
        )
        for one in truth
        for _ in range(rng.integers(0, 3))
    ]
    value = lenient_average_precision(placed(truth), placed(guess), rows=rows, iou=0.5)
    assert value == pytest.approx(plain_lenient(truth, guess, rows), abs=1e-12)


def test_lenient_average_precision_needs_a_miss() -> None:
    truth = placed([(0, 0, 1.0, (0, 0, 1, 1))])
    with pytest.raises(UndefinedMetricError):
        lenient_average_precision(truth, truth, rows=1, iou=0.5)
