"""VinBigData: recipe and grader against the published procedure, spelled out with scikit-learn and pycocotools."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from sklearn.model_selection import train_test_split

from mlebench.errors import InvalidSubmissionError, Reason
from mlebench.formats.dicom import decode_dicom

ID = "vinbigdata-chest-xray-abnormalities-detection"


def published_score(submission: pd.DataFrame, answers: pd.DataFrame) -> float:
    """Corners handed over as x, y, width, height, and ids that start at 0, as the published grader has them."""
    images = {image: number for number, image in enumerate(dict.fromkeys(answers["image_id"]))}
    truth = [
        box(images[row.image_id], row.class_id, 1.0, [row.x_min, row.y_min, row.x_max, row.y_max])
        for row in answers.itertuples()
    ]
    guess = []
    for row in submission.itertuples():
        values = np.array(row.PredictionString.split(" "), dtype=float).reshape(-1, 6)
        guess += [box(images[row.image_id], int(one[0]), one[1], one[2:].tolist()) for one in values]
    with contextlib.redirect_stdout(io.StringIO()):
        sides = []
        for annotations in (truth, guess):
            side = COCO()
            side.dataset = {
                "images": [{"id": number} for number in images.values()],
                "categories": [{"id": int(label)} for label in sorted(set(answers["class_id"]))],
                "annotations": [{"id": number, **one} for number, one in enumerate(annotations)],
            }
            side.createIndex()
            sides.append(side)
        evaluation = COCOeval(*sides, "bbox")
        evaluation.params.iouThrs = np.array([0.4])
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0])


def box(image: int, label: int, score: float, corners: list[float]) -> dict:
    area = (corners[2] - corners[0]) * (corners[3] - corners[1])
    return {
        "image_id": image, "category_id": label, "score": score, "bbox": corners, "area": area, "iscrowd": 0
    }  # fmt: skip


def random_submission(rng: np.random.Generator, answers: pd.DataFrame) -> pd.DataFrame:
    """Boxes near true ones and anywhere, few distinct scores, classes with fractions, images with several rows."""
    rows = []
    for image in rng.permutation(answers["image_id"].unique()):
        own = answers[answers["image_id"] == image]
        for _ in range(rng.integers(1, 3)):
            boxes = []
            for _ in range(rng.integers(1, 130 if rng.random() < 0.1 else 6)):
                true = own.iloc[rng.integers(len(own))]
                label = rng.choice([true["class_id"], rng.integers(0, 16), true["class_id"] + 0.5])
                corners = true[["x_min", "y_min", "x_max", "y_max"]].to_numpy(float) + rng.integers(-9, 10, 4)
                if rng.random() < 0.1:
                    corners = rng.choice([-5.0, 0.0, 3.0, 2e5, 1e200], 4)
                boxes.append(" ".join(map(str, [label, rng.integers(0, 5) / 4, *corners])))
            rows.append((image, " ".join(boxes)))
    return pd.DataFrame(rows, columns=["image_id", "PredictionString"])


@pytest.mark.parametrize("seed", range(4))
def test_scores_as_published(made, tmp_path: Path, seed: int) -> None:
    it = made(ID)
    answers = pd.read_csv(it.paths.private / "answers.csv")
    submission = random_submission(np.random.default_rng(seed), answers)
    with np.errstate(over="ignore", invalid="ignore"):
        wanted = published_score(submission, answers)
    assert 0 < wanted < 1
    assert it.score(submission, tmp_path) == pytest.approx(wanted, abs=1e-12)


def test_the_answers_score_below_one(made) -> None:
    it = made(ID)
    gold = it.paths.private / "gold_submission.csv"
    wanted = published_score(pd.read_csv(gold), pd.read_csv(it.paths.private / "answers.csv"))
    assert it.grader.score(gold)[0] == pytest.approx(wanted, abs=1e-12)
    assert 0.9 < wanted < 1.0


def test_boxes_of_nan_match_nothing(made, tmp_path: Path) -> None:
    """In the published grader a box of NaNs matches every true box; here it is invalid."""
    it = made(ID)
    images = pd.read_csv(it.paths.private / "answers.csv")["image_id"].unique()
    cheat = " ".join(f"{label} 1 nan nan nan nan" for label in range(15))
    with pytest.raises(InvalidSubmissionError, match="nan") as caught:
        it.score(pd.DataFrame({"image_id": images, "PredictionString": cheat}), tmp_path)
    assert caught.value.reason is Reason.BAD_FORMAT


def test_recipe_as_published(made) -> None:
    it = made(ID)
    raw = pd.read_csv(it.paths.raw / "train.csv")
    train, test = train_test_split(raw["image_id"].unique(), test_size=0.1, random_state=0)
    assert (it.paths.public / "train.csv").read_text() == raw[raw["image_id"].isin(train)].to_csv(index=False)
    sample = pd.DataFrame({"image_id": test, "PredictionString": "14 1 0 0 1 1"})
    assert (it.paths.public / "sample_submission.csv").read_text() == sample.to_csv(index=False)

    rows, gold = [], []
    for image in sorted(test):
        cells = []
        own = raw[raw["image_id"] == image]
        for label in sorted(set(own["class_id"])):
            first = own[own["class_id"] == label].iloc[0]
            corners = [0.0, 0.0, 1.0, 1.0] if label == 14 else first[["x_min", "y_min", "x_max", "y_max"]].tolist()
            rows.append([image, label, first["class_name"], first["rad_id"], *corners])
            cells.append(" ".join(map(str, [label, 1.0, *corners])))
        gold.append([image, " ".join(cells)])
    columns = ["image_id", "class_id", "class_name", "rad_id", "x_min", "y_min", "x_max", "y_max"]
    answers = pd.DataFrame(rows, columns=columns).to_csv(index=False)
    assert (it.paths.private / "answers.csv").read_text() == answers
    wanted = pd.DataFrame(gold, columns=["image_id", "PredictionString"]).to_csv(index=False)
    assert (it.paths.private / "gold_submission.csv").read_text() == wanted
    for part, images in (("train", train), ("test", test)):
        assert sorted(path.stem for path in (it.paths.public / part).iterdir()) == sorted(images)


def test_made_up_pictures_show_their_findings(made) -> None:
    it = made(ID)
    boxes = pd.read_csv(it.paths.raw / "train.csv").dropna()
    found = boxes.iloc[0]
    pixels, _ = decode_dicom((it.paths.raw / "train" / f"{found['image_id']}.dicom").read_bytes())
    x, y = int(found[["x_min", "x_max"]].mean()), int(found[["y_min", "y_max"]].mean())
    assert pixels[y, x] > np.median(pixels) + 50
