"""RSNA breast cancer and cervical spine: recipes and graders against the plain procedures."""

from __future__ import annotations

import math
import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from mlebench.formats.dicom import decode_dicom

BREAST, SPINE = "rsna-breast-cancer-detection", "rsna-2022-cervical-spine-fracture-detection"
KINDS = ["patient_overall", "C1", "C2", "C3", "C4", "C5", "C6", "C7"]


def plain_probabilistic_f1(labels: list[int], likelihoods: list[float]) -> float:
    """One breast after the other."""
    positives = 0
    found = wrong = np.float64(0)
    for label, likelihood in zip(labels, likelihoods, strict=True):
        clipped = likelihood if math.isnan(likelihood) else min(max(likelihood, 0), 1)
        if label:
            positives += 1
            found += clipped
        else:
            wrong += clipped
    with np.errstate(invalid="ignore"):
        precision, recall = found / (found + wrong), found / positives
    return float(2 * precision * recall / (precision + recall)) if precision > 0 and recall > 0 else 0.0


class TestBreast:
    @pytest.mark.parametrize("seed", range(5))
    def test_random_submissions_score_as_the_plain_procedure_does(self, made, tmp_path: Path, seed: int) -> None:
        it, rng = made(BREAST), np.random.default_rng(seed)
        truth = pd.read_csv(it.paths.private / "answers.csv")
        values = [rng.random, lambda n: rng.normal(0.3, 1, n), np.zeros, np.ones, rng.random][seed](len(truth))
        if seed == 1:
            values[truth.index[truth["cancer"] == 1][0]] = np.inf
            values[truth.index[truth["cancer"] == 0][0]] = -np.inf
        if seed == 4:
            values[2] = np.nan
        table = pd.DataFrame({"cancer": values, "prediction_id": truth["prediction_id"]})
        score = it.score(table.sample(frac=1, random_state=seed), tmp_path)
        assert score == pytest.approx(plain_probabilistic_f1(truth["cancer"].tolist(), values.tolist()), abs=1e-12)
        assert (score > 0) == (seed in (0, 1, 3))

    def test_the_recipe(self, made) -> None:
        it = made(BREAST)
        public = it.paths.public
        raw = pd.read_csv(it.paths.raw / "train.csv")
        _, patients = train_test_split(raw["patient_id"].unique(), test_size=0.1, random_state=42)
        train, test = raw[~raw["patient_id"].isin(patients)], raw[raw["patient_id"].isin(patients)].copy()
        columns = ["site_id", "patient_id", "image_id", "laterality", "view", "age", "implant", "machine_id"]
        test["prediction_id"] = [f"{row.patient_id}_{row.laterality}" for row in test.itertuples()]
        assert (public / "train.csv").read_text() == train.to_csv(index=False)
        assert (public / "test.csv").read_text() == test[[*columns, "prediction_id"]].to_csv(index=False)
        first = {row.prediction_id: row.cancer for row in reversed(list(test.itertuples()))}
        answers = "".join(f"{key},{first[key]}\n" for key in sorted(first))
        assert (it.paths.private / "answers.csv").read_text() == "prediction_id,cancer\n" + answers
        sample = "".join(f"{key},{train['cancer'].mean()}\n" for key in sorted(first))
        assert (public / "sample_submission.csv").read_text() == "prediction_id,cancer\n" + sample
        for name, part in (("train_images", train), ("test_images", test)):
            files = [f"{row.patient_id}/{row.image_id}.dcm" for row in part.itertuples()]
            assert sorted(
                path.relative_to(public / name).as_posix() for path in (public / name).rglob("*.dcm")
            ) == sorted(files)
            assert all((public / name / file).samefile(it.paths.raw / "train_images" / file) for file in files)
        assert set(first.values()) == {0, 1}
        assert len(first) < len(test)

    def test_cancer_is_a_bright_spot(self, made) -> None:
        it = made(BREAST)
        table = pd.read_csv(it.paths.public / "train.csv")
        bright = []
        for row in table.itertuples():
            file = it.paths.public / "train_images" / str(row.patient_id) / f"{row.image_id}.dcm"
            bright.append(decode_dicom(file.read_bytes())[0].max() > 1300)
        assert np.array_equal(bright, table["cancer"] == 1)


def plain_log_loss(truth: pd.DataFrame, guess: pd.DataFrame) -> float:
    """One exam after the other, with the row ids taken apart."""
    probability = dict(zip(guess["row_id"], guess["fractured"], strict=True))
    exams: dict[str, list[tuple[float, float]]] = {}
    for row_id, label in zip(truth["row_id"], truth["fractured"], strict=True):
        study, kind = row_id.split("_", 1)
        p = min(max(probability[row_id], 1e-15), 1 - 1e-15)
        weight = (7 if kind == "patient_overall" else 1) * (2 if label else 1)
        exams.setdefault(study, []).append((weight, -math.log(p if label else 1 - p)))
    losses = [sum(w * one for w, one in exam) / sum(w for w, _ in exam) for exam in exams.values()]
    return sum(losses) / len(losses)


class TestSpine:
    @pytest.mark.parametrize("seed", range(3))
    def test_random_submissions_score_as_the_plain_procedure_does(self, made, tmp_path: Path, seed: int) -> None:
        it, rng = made(SPINE), np.random.default_rng(seed)
        truth = pd.read_csv(it.paths.private / "answers.csv")
        values = rng.integers(0, 2, len(truth)).astype(float) if seed == 2 else rng.random(len(truth))
        table = pd.DataFrame({"row_id": truth["row_id"], "fractured": values}).sample(frac=1, random_state=seed)
        assert it.score(table, tmp_path) == pytest.approx(plain_log_loss(truth, table), rel=1e-12)

    def test_one_half_scores_the_logarithm_of_two(self, made) -> None:
        it = made(SPINE)
        assert it.grader.score(it.paths.public / "sample_submission.csv")[0] == pytest.approx(math.log(2))

    def test_the_recipe(self, made) -> None:
        it = made(SPINE)
        raw, public = it.paths.raw, it.paths.public
        table, boxes = pd.read_csv(raw / "train.csv"), pd.read_csv(raw / "train_bounding_boxes.csv")
        rng = random.Random(0)
        with_boxes = sorted(boxes["StudyInstanceUID"].unique())
        with_nii = sorted(path.stem for path in (raw / "segmentations").glob("*.nii"))
        overlap = [one for one in with_boxes if one in with_nii]
        n_boxes, n_nii, n_overlap = (round(0.1 * len(one)) for one in (with_boxes, with_nii, overlap))
        a = rng.sample(overlap, n_overlap)
        s = rng.sample([one for one in with_nii if one not in overlap], n_nii - n_overlap)
        b = rng.sample([one for one in with_boxes if one not in overlap], n_boxes - n_overlap)
        studies = table["StudyInstanceUID"].tolist()
        r = rng.sample([one for one in studies if one not in a + s + b], round(0.1 * len(table)) - len(a + s + b))
        assert a and s and b and r
        train = table[table["StudyInstanceUID"].isin(a + s + b + r)]
        test = table[~table["StudyInstanceUID"].isin(a + s + b + r)]
        assert (public / "train.csv").read_text() == train.to_csv(index=False)
        kept = boxes[boxes["StudyInstanceUID"].isin(a + b)]
        assert (public / "train_bounding_boxes.csv").read_text() == kept.to_csv(index=False)
        rows = [(row["StudyInstanceUID"], kind, row[kind]) for kind in KINDS for _, row in test.iterrows()]
        lines = "".join(f"{study},{kind},{label},{study}_{kind}\n" for study, kind, label in rows)
        header = "StudyInstanceUID,prediction_type,fractured,row_id\n"
        assert (it.paths.private / "answers.csv").read_text() == header + lines
        lines = "".join(f"{study}_{kind},0.5\n" for study, kind, _ in rows)
        assert (public / "sample_submission.csv").read_text() == "row_id,fractured\n" + lines
        lines = "".join(f"{study},{kind},{study}_{kind}\n" for study, kind, _ in rows)
        assert (public / "test.csv").read_text() == "StudyInstanceUID,prediction_type,row_id\n" + lines
        assert sorted(path.stem for path in (public / "segmentations").iterdir()) == sorted(a + s)
        for name, part in (("train_images", train), ("test_images", test)):
            assert sorted(path.name for path in (public / name).iterdir()) == sorted(part["StudyInstanceUID"])
            for study in part["StudyInstanceUID"]:
                slices = sorted((raw / "train_images" / study).iterdir())
                assert [path.name for path in slices] == sorted(p.name for p in (public / name / study).iterdir())
                assert all(path.samefile(public / name / study / path.name) for path in slices)
        for part in (train, test):
            assert (part[KINDS].nunique() == 2).all()

    def test_fractures_are_where_the_boxes_are(self, made) -> None:
        it = made(SPINE)
        boxes = pd.read_csv(it.paths.raw / "train_bounding_boxes.csv")
        for row in boxes.itertuples():
            file = it.paths.raw / "train_images" / row.StudyInstanceUID / f"{row.slice_number}.dcm"
            pixels, _ = decode_dicom(file.read_bytes())
            x, y = int(row.x), int(row.y)
            assert pixels[y : y + int(row.height), x : x + int(row.width)].mean() > 400
            assert np.median(pixels) < 200
