"""Competitions of box lists: recipes and graders against the published procedures, spelled out with loops."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score
from sklearn.model_selection import train_test_split

from mlebench.errors import InvalidSubmissionError, Reason

LYFT = "3d-object-detection-for-autonomous-vehicles"
KUZUSHIJI = "kuzushiji-recognition"
SIIM = "siim-covid19-detection"


def read(path: Path) -> list[dict]:
    return json.loads(path.read_text())


def test_lyft_parts_every_table_by_scene(made) -> None:
    it = made(LYFT)
    raw, public = it.paths.raw / "train_data", it.paths.public
    sides = train_test_split([log["token"] for log in read(raw / "log.json")], test_size=0.2, random_state=0)
    parts = {}
    for side, logs in zip(("train", "test"), sides, strict=True):
        folder = public / f"{side}_data"
        samples = [one for one in read(raw / "sample.json") if one["scene_token"] in logs]
        tokens = {one["token"] for one in samples}
        files = [one for one in read(raw / "sample_data.json") if one["sample_token"] in tokens]
        assert read(folder / "sample.json") == samples
        assert read(folder / "sample_data.json") == files
        assert [one["token"] for one in read(folder / "ego_pose.json")] == [one["ego_pose_token"] for one in files]
        met = list(dict.fromkeys(one["calibrated_sensor_token"] for one in files))
        assert [one["token"] for one in read(folder / "calibrated_sensor.json")] == met
        assert {one["log_token"] for one in read(folder / "scene.json")} == set(logs)
        names = {Path(one["filename"]).name for one in files}
        assert {path.name for kind in ("images", "lidar") for path in (public / f"{side}_{kind}").iterdir()} == names
        assert read(folder / "map.json")[0]["log_tokens"] == sides[1]  # the published fault
        assert (folder / "log.json").read_text() == json.dumps(
            [one for one in read(raw / "log.json") if one["token"] in logs]
        )
        parts[side] = tokens
    table = pd.read_csv(it.paths.raw / "train.csv")
    assert pd.read_csv(public / "train.csv")["Id"].tolist() == [key for key in table["Id"] if key in parts["train"]]
    answers = pd.read_csv(it.paths.private / "test.csv").set_index("Id")["PredictionString"]
    for key, cell in table.set_index("Id")["PredictionString"].items():
        if key in parts["test"]:
            tokens = answers[key].split(" ")
            assert set(tokens[0::9]) == {"1.0"}
            assert [token for i, token in enumerate(tokens) if i % 9] == cell.split(" ")
    assert not (public / "test_data" / "sample_annotation.json").exists()
    assert {one["sample_token"] for one in read(public / "train_data" / "sample_annotation.json")} == parts["train"]


def test_lyft_by_hand(made, tmp_path: Path) -> None:
    """Each sample: its first box is found, the second missed, a class that it lacks costs nothing."""
    it = made(LYFT)
    answers = pd.read_csv(it.paths.private / "test.csv")
    cells, values = [], []
    for cell in answers["PredictionString"]:
        tokens = cell.split(" ")
        boxes = [tokens[i : i + 9] for i in range(0, len(tokens), 9)]
        kind = boxes[0][-1]
        false = ["0.9", "0", "0", "0", "1", "1", "1", "0", kind]
        cells.append(" ".join([*false, "0.5", *boxes[0][1:], "1.0", *boxes[0][1:-1], "unicorn"]))
        # Half of the precision at the recall of one box among those of its class.
        values.append(0.5 / sum(box[-1] == kind for box in boxes) / len({box[-1] for box in boxes}))
    table = answers[["Id"]].assign(PredictionString=cells)
    assert it.score(table, tmp_path) == pytest.approx(np.mean(values), abs=1e-12)
    cells[0] = "  "
    assert it.score(table.assign(PredictionString=cells), tmp_path) == pytest.approx(
        np.sum(values[1:]) / len(values), abs=1e-12
    )


def kuzushiji_score(submission: pd.DataFrame, answers: pd.DataFrame) -> float:
    hits = points = boxes = 0
    guesses = dict(zip(submission["image_id"], submission["labels"].fillna(""), strict=True))
    for page, cell in zip(answers["image_id"], answers["labels"].fillna(""), strict=True):
        tokens, guess = cell.split(), guesses[page].split()
        free = [(guess[i], float(guess[i + 1]), float(guess[i + 2])) for i in range(0, len(guess), 3)]
        points, boxes = points + len(free), boxes + len(tokens) // 5
        for i in range(0, len(tokens), 5):
            x, y, width, height = map(float, tokens[i + 1 : i + 5])
            for one in free:
                if one[0] == tokens[i] and x < one[1] < x + width and y < one[2] < y + height:
                    free.remove(one)
                    hits += 1
                    break
    if not hits:
        return 0.0
    return 2 * (hits / points) * (hits / boxes) / (hits / points + hits / boxes)


@pytest.mark.parametrize("seed", range(4))
def test_kuzushiji(made, tmp_path: Path, seed: int) -> None:
    it, rng = made(KUZUSHIJI), np.random.default_rng(seed)
    answers = pd.read_csv(it.paths.private / "test.csv")
    cells = []
    for cell in answers["labels"].fillna(""):
        tokens, parts = cell.split(), ["U+FFFF", "nan", "-inf"]
        for i in range(0, len(tokens), 5):
            x, y, width, height = map(int, tokens[i + 1 : i + 5])
            for _ in range(rng.integers(0, 3)):
                code = tokens[i] if rng.random() < 0.8 else tokens[5 * rng.integers(0, len(tokens) // 5)]
                point = (x + rng.integers(-1, width + 2), y + rng.integers(-1, height + 2) / rng.choice([1, 2]))
                parts += [code, *map(str, point)]
        cells.append(" ".join(parts) if rng.random() < 0.8 else "")
    table = answers[["image_id"]].assign(labels=cells)
    assert it.score(table.sample(frac=1, random_state=seed), tmp_path) == pytest.approx(
        kuzushiji_score(table, answers), abs=1e-12
    )


def test_kuzushiji_recipe(made, tmp_path: Path) -> None:
    it = made(KUZUSHIJI)
    train, test = train_test_split(pd.read_csv(it.paths.raw / "train.csv"), test_size=0.1, random_state=0)
    pd.testing.assert_frame_equal(pd.read_csv(it.paths.private / "test.csv"), test.reset_index(drop=True))
    with zipfile.ZipFile(it.paths.public / "train_images.zip") as opened:
        assert opened.namelist() == [f"{page}.jpg" for page in train["image_id"]]
    gold = pd.read_csv(it.paths.private / "gold_submission.csv")
    assert it.score(gold, tmp_path) == 1.0
    # Pages without text stay in, on whichever side.
    assert train["labels"].isna().any() or test["labels"].isna().any()


def iou(a: list[float], b: list[float]) -> float:
    shared = max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return shared / union if union > 0 else 0.0


def siim_score(submission: pd.DataFrame, answers: pd.DataFrame) -> float:
    sides = []
    for table in (submission.sort_values("id"), answers.sort_values("id")):
        rows = []
        for cell in table["PredictionString"]:
            tokens = cell.strip().split()
            rows.append([(tokens[i], *map(float, tokens[i + 1 : i + 6])) for i in range(0, len(tokens), 6)])
        sides.append(rows)
    values = []
    for label in sorted({one[0] for row in sides[1] for one in row}):
        outcome, scores = [], []
        for guess, truth in zip(*sides, strict=True):
            own = sorted((one for one in guess if one[0] == label), key=lambda one: -one[1])
            free = [list(one[2:]) for one in truth if one[0] == label]
            if not own and not free:
                outcome.append(0)
                scores.append(0.0)
            for one in own:
                ious = [iou(list(one[2:]), box) for box in free]
                best = int(np.argmax(ious)) if ious else -1
                outcome.append(int(bool(ious) and ious[best] > 0.5))
                scores.append(one[1])
                if outcome[-1]:
                    free.pop(best)
            outcome += [1] * len(free)
            scores += [0.0] * len(free)
        values.append(average_precision_score(outcome, scores))
    return float(np.mean(values))


@pytest.mark.parametrize("seed", range(4))
def test_siim(made, tmp_path: Path, seed: int) -> None:
    it, rng = made(SIIM), np.random.default_rng(seed)
    answers = pd.read_csv(it.paths.private / "test.csv")
    labels = ["negative", "typical", "indeterminate", "atypical", "none", "opacity", "unheard-of"]
    cells = []
    for cell in answers["PredictionString"]:
        tokens, parts = cell.split(), []
        for i in range(0, len(tokens), 6):
            for _ in range(rng.integers(0, 3)):
                box = np.array(tokens[i + 2 : i + 6], float) + rng.choice([0, 0, 0.2, -3, 8], 4)
                label = tokens[i] if rng.random() < 0.7 else str(rng.choice(labels))
                parts += [label, str(rng.choice([-0.5, 0.0, 0.25, 0.5, 1.0])), *map(str, box.tolist())]
        cells.append("  ".join(parts) or " ")
    cells[0] = "unheard-of nan 0 0 1 1 opacity 0.5 nan 0 inf 1"
    table = answers[["id"]].assign(PredictionString=cells)
    assert it.score(table.sample(frac=1, random_state=seed), tmp_path) == pytest.approx(
        siim_score(table, answers), abs=1e-12
    )


def test_siim_recipe(made) -> None:
    it = made(SIIM)
    studies = pd.read_csv(it.paths.raw / "train_study_level.csv")
    _, test = train_test_split(studies, test_size=0.1, random_state=0)
    answers = pd.read_csv(it.paths.private / "test.csv")
    images = pd.read_csv(it.paths.raw / "train_image_level.csv").set_index("id")
    own = sorted(key for key, row in images.iterrows() if row["StudyInstanceUID"] + "_study" in set(test["id"]))
    assert answers["id"].tolist() == [*sorted(test["id"]), *own]
    assert answers["PredictionString"].tolist()[len(test) :] == images.loc[own, "label"].tolist()
    flags = studies.set_index("id").loc[answers["id"][: len(test)]]
    names = ["negative", "typical", "indeterminate", "atypical"]
    wanted = [f"{names[int(np.argmax(row))]} 1 0 0 1 1" for row in flags.to_numpy()]
    assert answers["PredictionString"].tolist()[: len(test)] == wanted
    for side, keys in (("train", set(studies["id"]) - set(test["id"])), ("test", set(test["id"]))):
        assert {f"{path.name}_study" for path in (it.paths.public / side).iterdir()} == keys


@pytest.mark.parametrize(
    ("competition", "column", "cell"),
    [
        (LYFT, "PredictionString", "0.9 1 2 3 1 1 20000 0 car"),
        (KUZUSHIJI, "labels", "U+003F one 1"),
        (SIIM, "PredictionString", "opacity -inf 0 0 1 1"),
    ],
)
def test_refused_with_the_row(made, tmp_path: Path, competition: str, column: str, cell: str) -> None:
    it = made(competition)
    table = pd.read_csv(it.paths.public / "sample_submission.csv").astype(object)
    table.loc[1, column] = cell
    with pytest.raises(InvalidSubmissionError, match="row 2") as caught:
        it.score(table, tmp_path)
    assert caught.value.reason is Reason.BAD_FORMAT
