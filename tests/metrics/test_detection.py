"""COCO average precision against pycocotools itself, on random boxes with ties, ignored areas and the zero-id fault."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mlebench.metrics import UndefinedMetricError
from mlebench.metrics.detection import Detections, coco_average_precision


def detections(rng: np.random.Generator, n: int, images: int, classes: int, odd_areas: bool) -> Detections:
    # Few distinct places, sizes and scores, so that equal boxes and ties are frequent.
    box = np.column_stack([rng.integers(0, 4, (n, 2)) * 3.0, rng.integers(1, 5, (n, 2)) * 4.0])
    area = box[:, 2] * box[:, 3]
    if odd_areas:
        area = np.where(rng.random(n) < 0.2, rng.choice([-1.0, 2e10], n), area)
    return Detections(rng.integers(0, images, n), rng.integers(0, classes, n), box, area, rng.integers(0, 6, n) / 5)


def annotations(boxes: Detections, first_id: int) -> list[dict]:
    return [
        {
            "id": first_id + i,
            "image_id": int(boxes.image[i]),
            "category_id": int(boxes.label[i]),
            "bbox": boxes.box[i].tolist(),
            "area": float(boxes.area[i]),
            "iscrowd": 0,
            "score": float(boxes.score[i]),
        }
        for i in range(len(boxes))
    ]


def by_pycocotools(truth: Detections, guess: Detections, images: int, iou: float, first_id: int) -> float:
    with contextlib.redirect_stdout(io.StringIO()):
        sides = []
        for boxes in (truth, guess):
            side = COCO()
            side.dataset = {
                "images": [{"id": i} for i in range(images)],
                "categories": [{"id": int(label)} for label in np.unique(truth.label)],
                "annotations": annotations(boxes, first_id),
            }
            side.createIndex()
            sides.append(side)
        evaluation = COCOeval(*sides, "bbox")
        evaluation.params.iouThrs = np.array([iou])
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0])


@pytest.mark.parametrize("zero_id_fault", [False, True])
@pytest.mark.parametrize("odd_areas", [False, True])
@pytest.mark.parametrize("truths", [3, 12, 60])
def test_equals_pycocotools(truths: int, odd_areas: bool, zero_id_fault: bool) -> None:
    rng = np.random.default_rng(truths)
    for guesses in (0, 1, 40, 300):
        for iou in (0.4, 0.5, 1.0):
            truth = detections(rng, truths, 5, 3, odd_areas)
            guess = detections(rng, guesses, 5, 4, odd_areas)
            wanted = by_pycocotools(truth, guess, 5, iou, 0 if zero_id_fault else 1)
            if wanted == -1:
                with pytest.raises(UndefinedMetricError):
                    coco_average_precision(truth, guess, iou=iou, zero_id_fault=zero_id_fault)
            else:
                found = coco_average_precision(truth, guess, iou=iou, zero_id_fault=zero_id_fault)
                assert found == pytest.approx(wanted, abs=1e-12)


def test_equals_pycocotools_beyond_a_hundred_boxes_of_one_class() -> None:
    rng = np.random.default_rng(5)
    truth, guess = detections(rng, 150, 1, 1, False), detections(rng, 400, 1, 1, False)
    wanted = by_pycocotools(truth, guess, 1, 0.4, 1)
    assert coco_average_precision(truth, guess, iou=0.4) == pytest.approx(wanted, abs=1e-12)


def boxes(*rows: tuple[int, int, list[float], float]) -> Detections:
    """Rows of image, class, box and score."""
    image, label, box, score = zip(*rows, strict=True)
    box = np.array(box)
    return Detections(np.array(image), np.array(label), box, box[:, 2] * box[:, 3], np.array(score))


def test_by_hand() -> None:
    """One class, two true boxes; a hit at 0.9, a miss at 0.8, a hit at 0.7: precision 1, then 2/3."""
    truth = boxes((0, 1, [0, 0, 10, 10], 0), (1, 1, [0, 0, 10, 10], 0))
    guess = boxes((0, 1, [0, 0, 10, 8], 0.9), (0, 1, [50, 50, 9, 9], 0.8), (1, 1, [1, 1, 10, 10], 0.7))
    # Recalls 0 .. 0.5 (51 values) read precision 1, the other 50 read 2/3.
    assert coco_average_precision(truth, guess, iou=0.4) == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_the_zero_id_fault_loses_the_first_true_box() -> None:
    truth = boxes((0, 1, [0, 0, 10, 10], 0), (1, 2, [0, 0, 10, 10], 0))
    assert coco_average_precision(truth, truth, iou=0.4) == pytest.approx(1.0)
    assert coco_average_precision(truth, truth, iou=0.4, zero_id_fault=True) == pytest.approx(0.5)


def test_no_true_box_has_no_score() -> None:
    nothing = boxes((0, 1, [0, 0, 1, 1], 0)).take(np.zeros(0, dtype=int))
    with pytest.raises(UndefinedMetricError):
        coco_average_precision(nothing, boxes((0, 1, [0, 0, 1, 1], 1)), iou=0.4)
