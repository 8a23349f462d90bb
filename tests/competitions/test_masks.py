"""Mask competitions against the published procedures, spelled out with pixels."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import directed_hausdorff
from sklearn.metrics import fbeta_score
from sklearn.model_selection import train_test_split

from mlebench.errors import InvalidSubmissionError
from mlebench.formats.rle import encode_mask

TGS = "tgs-salt-identification-challenge"
HUBMAP = "hubmap-kidney-segmentation"
CONTRAILS = "google-research-identify-contrails-reduce-global-warming"
MADISON = "uw-madison-gi-tract-image-segmentation"
VESUVIUS = "vesuvius-challenge-ink-detection"


def decoded(cell: str, height: int, width: int) -> np.ndarray:
    """Column-major mask, one slice a run, as published (three numbers share the one length)."""
    flat = np.zeros(height * width, dtype=bool)
    numbers = [int(token) for token in cell.split()]
    starts, lengths = numbers[0::2], numbers[1::2]
    if len(starts) == 2 and len(lengths) == 1:
        lengths = lengths * 2
    assert starts == sorted(starts) and all(number > 0 for number in numbers)
    for start, length in zip(starts, lengths, strict=False):
        assert not flat[start - 1 : start - 1 + length].any()
        flat[start - 1 : start - 1 + length] = True
    return flat.reshape(width, height).T


def random_cell(rng: np.random.Generator, truth: str, height: int, width: int, empty: str = "") -> str:
    """Something near the truth, or odd: empty, full, three numbers, one number, past the end, another mask."""
    size = height * width
    kind = rng.integers(0, 9)
    if kind == 0:
        return empty
    if kind == 1:
        return f"1 {size}"
    if kind == 2:
        return f"3 4 {size // 2}"
    if kind == 3:
        return f"{rng.integers(1, size)}"
    if kind == 4:
        return f"{size // 2} {size}"
    if kind == 5:
        return f"{size + 7} 3"
    mask = decoded("" if truth == "-" else truth, height, width)
    if kind == 6:
        mask = rng.random(mask.shape) < 0.3
    elif kind == 7:
        mask = np.roll(mask, rng.integers(-2, 3, 2), (0, 1))
    else:
        mask = mask & (rng.random(mask.shape) < 0.9)
    return encode_mask(mask, empty=empty)


def tgs_score(guess: str, truth: str) -> float:
    a, b = decoded(guess, 101, 101), decoded(truth, 101, 101)
    if not b.any():
        return float(not a.any())
    # numpy.histogram2d with two bins takes a constant 0 for the upper bin.
    seen = a if a.any() else ~a
    share = (seen & b).sum() / (seen | b).sum()
    return float(np.mean([share > t for t in np.arange(0.5, 1.0, 0.05)]))


@pytest.mark.parametrize("seed", range(3))
def test_tgs(made, tmp_path: Path, seed: int) -> None:
    it, rng = made(TGS), np.random.default_rng(seed)
    answers = pd.read_csv(it.paths.private / "test.csv", keep_default_na=False)
    cells = [random_cell(rng, truth, 101, 101) for truth in answers["rle_mask"]]
    wanted = np.mean([tgs_score(*pair) for pair in zip(cells, answers["rle_mask"], strict=True)])
    assert it.score(answers.assign(rle_mask=cells), tmp_path) == pytest.approx(wanted, abs=1e-12)
    # The truth of a full tile and nothing predicted: the published fault.
    assert tgs_score("", "1 10201") == 1.0 and (answers["rle_mask"] == "1 10201").any()


def test_tgs_histogram_fault_is_numpys() -> None:
    empty = np.zeros((101, 101))
    truth = decoded("1 6000", 101, 101).astype(float)
    counts = np.histogram2d(truth.ravel(), empty.ravel(), bins=(2, 2))[0]
    area_true, area_guess = (np.histogram(values, bins=2)[0] for values in (truth, empty))
    union = area_true[:, None] + area_guess[None, :] - counts
    assert counts[1, 1] / union[1, 1] == pytest.approx(6000 / 10201)


@pytest.mark.parametrize("seed", range(3))
def test_hubmap(made, tmp_path: Path, seed: int) -> None:
    it, rng = made(HUBMAP), np.random.default_rng(seed)
    answers = pd.read_csv(it.paths.private / "test.csv")
    cells, values = [], []
    for row in answers.itertuples():
        shape = row.height_pixels, row.width_pixels
        cells.append(random_cell(rng, row.encoding, *shape))
        a, b = decoded(cells[-1], *shape), decoded(row.encoding, *shape)
        values.append(2 * (a & b).sum() / (a.sum() + b.sum()))
    if all(cell == "" or " " not in cell for cell in cells):
        cells[0], values[0] = answers["encoding"][0], 1.0
    table = pd.DataFrame({"id": answers["id"], "predicted": cells})
    assert it.score(table.iloc[::-1], tmp_path) == pytest.approx(np.mean(values), abs=1e-12)


def test_hubmap_split(made) -> None:
    it = made(HUBMAP)
    train, test = train_test_split(pd.read_csv(it.paths.raw / "train.csv"), train_size=12, test_size=3, random_state=0)
    assert pd.read_csv(it.paths.private / "test.csv")["id"].tolist() == test["id"].tolist()
    assert pd.read_csv(it.paths.public / "train.csv")["id"].tolist() == train["id"].tolist()


@pytest.mark.parametrize("seed", range(3))
def test_contrails(made, tmp_path: Path, seed: int) -> None:
    it, rng = made(CONTRAILS), np.random.default_rng(seed)
    answers = pd.read_csv(it.paths.private / "answers.csv")
    cells, shared, both = [], 0, 0
    for row in answers.itertuples():
        cells.append(random_cell(rng, row.encoded_pixels, row.height, row.width, empty="-"))
        a, b = (decoded("" if cell == "-" else cell, row.height, row.width) for cell in (cells[-1], row.encoded_pixels))
        shared, both = shared + (a & b).sum(), both + a.sum() + b.sum()
    table = pd.DataFrame({"record_id": answers["record_id"], "encoded_pixels": cells})
    assert it.score(table.sample(frac=1, random_state=seed), tmp_path) == pytest.approx(2 * shared / both, abs=1e-12)


def test_contrails_truth_is_the_published_encoding(made) -> None:
    it = made(CONTRAILS)
    for row in pd.read_csv(it.paths.private / "answers.csv").itertuples():
        flat = np.load(it.paths.raw / "train" / str(row.record_id) / "human_pixel_masks.npy").T.flatten()
        runs, previous = [], -2
        for pixel in np.where(flat == 1)[0]:
            if pixel > previous + 1:
                runs += [pixel + 1, 0]
            runs[-1] += 1
            previous = pixel
        assert row.encoded_pixels == (" ".join(map(str, runs)) or "-")


@pytest.mark.parametrize("seed", range(4))
def test_vesuvius(made, tmp_path: Path, seed: int) -> None:
    it, rng = made(VESUVIUS), np.random.default_rng(seed)
    (answer,) = pd.read_csv(it.paths.private / "inklabels_rle.csv").itertuples()
    # Row-major is column-major of the transposed image.
    shape = answer.width, answer.height
    cell = random_cell(rng, answer.Predicted, *shape)
    if " " not in cell:
        cell = "5 9 1000 40"
    wanted = fbeta_score(decoded(answer.Predicted, *shape).ravel(), decoded(cell, *shape).ravel(), beta=0.5)
    table = pd.DataFrame({"Id": ["a"], "Predicted": [cell]})
    assert it.score(table, tmp_path) == pytest.approx(wanted, abs=1e-12)


def test_vesuvius_blank_cell_is_an_empty_mask(made, tmp_path: Path) -> None:
    assert made(VESUVIUS).score(pd.DataFrame({"Id": ["a"], "Predicted": [" "]}), tmp_path) == 0.0


def madison_score(submission: pd.DataFrame, answers: pd.DataFrame) -> float:
    submission, answers = submission.fillna({"predicted": ""}), answers.fillna({"predicted": ""})
    heights, widths = answers["image_height"].astype(int), answers["image_width"].astype(int)
    sides = []
    dices = []
    for table in (submission, answers):
        cells = zip(table["predicted"], heights, widths, strict=False)
        sides.append([decoded(*cell) for cell in cells])
    for a, b in zip(*sides, strict=False):
        if a.any() or b.any():
            dices.append(2 * (a & b).sum() / (a.sum() + b.sum()))
    volumes = []
    for table, masks in zip((submission, answers), sides, strict=True):
        slices: dict[str, np.ndarray] = {}
        for key, mask in sorted(zip(table["id"], masks, strict=False), key=lambda pair: pair[0]):
            slices[key] = slices.get(key, False) | mask
        scans: dict[str, list[np.ndarray]] = {}
        for key, mask in slices.items():
            scans.setdefault(key.split("_slice_")[0], []).append(mask)
        volumes.append([np.stack(scans[name]) for name in sorted(scans)])
    distances = []
    for a, b in zip(*volumes, strict=False):
        if not a.any() and not b.any():
            continue
        if np.array_equal(a, b):
            distances.append(0.0)
        elif not a.any() or not b.any() or a.sum() > 10 * b.sum():
            distances.append(1.0)
        else:
            one, other = (np.argwhere(volume) / np.array(volume.shape) for volume in (a, b))
            far = max(directed_hausdorff(one, other)[0], directed_hausdorff(other, one)[0])
            distances.append(far / math.sqrt(3))
    return 0.4 * float(np.mean(dices)) + 0.6 * (1 - float(np.mean(distances)))


BREAKING: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "as it should be": lambda table: table,
    "the first rows only": lambda table: table.head(20),
    "three rows, one slice": lambda table: table.iloc[3:6],
    "surplus rows": lambda table: pd.concat([table, table.head(7)]),
    "another order": lambda table: table.sample(frac=1, random_state=1),
    "wrong ids": lambda table: table.assign(id=np.roll(table["id"], 3)),
    "no organs": lambda table: table.assign(predicted=""),
}


@pytest.mark.parametrize("kind", BREAKING)
@pytest.mark.parametrize("seed", range(2))
def test_madison(made, tmp_path: Path, kind: str, seed: int) -> None:
    it, rng = made(MADISON), np.random.default_rng(seed)
    answers = pd.read_csv(it.paths.private / "test.csv")
    cells = [
        truth if rng.random() < 0.5 else random_cell(rng, truth, int(height), int(width))
        for truth, height, width in zip(
            answers["predicted"].fillna(""), answers["image_height"], answers["image_width"], strict=True
        )
    ]
    table = BREAKING[kind](answers[["id", "class"]].assign(predicted=cells))
    assert it.score(table, tmp_path) == pytest.approx(madison_score(table, answers), abs=1e-12)


def test_madison_says_when_rows_are_missing(made, tmp_path: Path) -> None:
    it = made(MADISON)
    it.competition.grader.perfect(it.grader.answers).head(20).to_csv(tmp_path / "short.csv", index=False)
    report = it.grader.grade(tmp_path / "short.csv")
    assert report.score is not None
    assert any("20 rows instead of" in warning for warning in report.warnings)


def test_madison_all_organs_in_one_scan_of_other_images(made) -> None:
    """Rows of one scan that fall on images of different sizes cannot be stacked: the published grader breaks down."""
    it = made(MADISON)
    answers = it.grader.answers.copy()
    answers.loc[: len(answers) // 2, "image_height"] += 1
    with pytest.raises(InvalidSubmissionError, match="keep the row order"):
        it.competition.grader.grade(answers[["id", "class", "predicted"]].assign(id="one_slice_1"), answers)


def test_madison_late_days_are_held_out(made) -> None:
    """Cases by scikit-learn's split; of training cases all days from the fifth one on."""
    it = made(MADISON)
    raw = pd.read_csv(it.paths.raw / "train.csv")
    cases = list(dict.fromkeys(key.split("_")[0] for key in raw["id"]))
    train_cases, _ = train_test_split(cases, test_size=0.1, random_state=42)
    days = {case: sorted({int(k.split("_")[1][3:]) for k in raw["id"] if k.startswith(case + "_")}) for case in cases}
    tested = [
        key.split("_")[0] not in train_cases or int(key.split("_")[1][3:]) in days[key.split("_")[0]][4:]
        for key in raw["id"]
    ]
    assert any(len(days[case]) > 4 for case in train_cases)
    assert pd.read_csv(it.paths.public / "test.csv")["id"].tolist() == raw.loc[tested, "id"].tolist()
    for side in ("train", "test"):
        table = pd.read_csv(it.paths.public / f"{side}.csv")
        folders = {path.name for path in (it.paths.public / side).glob("*/*")}
        assert folders == {key.split("_slice_")[0] for key in table["id"]}
    assert (it.paths.private / "test.csv").read_text().splitlines()[1].endswith(",16.0,20.0")


@pytest.mark.parametrize(("competition", "column"), [(TGS, "rle_mask"), (HUBMAP, "predicted"), (MADISON, "predicted")])
def test_a_column_of_single_numbers_is_refused(made, tmp_path: Path, competition: str, column: str) -> None:
    it = made(competition)
    sample = pd.read_csv(it.paths.public / "sample_submission.csv")
    with pytest.raises(InvalidSubmissionError, match="only single numbers"):
        it.score(sample.assign(**{column: "5"}), tmp_path)
