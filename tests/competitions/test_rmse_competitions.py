"""Nomad2018 and Denoising Dirty Documents: recipe and grader against the plain procedure, step by step."""

from __future__ import annotations

import io
import math
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.metrics import root_mean_squared_error, root_mean_squared_log_error
from sklearn.model_selection import train_test_split

from mlebench.errors import InvalidSubmissionError, Reason

NOMAD, DENOISING = "nomad2018-predict-transparent-conductors", "denoising-dirty-documents"
TARGETS = ["formation_energy_ev_natom", "bandgap_energy_ev"]


class TestNomad:
    def test_the_recipe(self, made) -> None:
        it = made(NOMAD)
        frame = pd.read_csv(it.paths.raw / "train.csv.zip")
        parts = dict(zip(("train", "test"), train_test_split(frame, test_size=0.1, random_state=0), strict=True))
        with zipfile.ZipFile(it.paths.raw / "train.zip") as source:
            for name, part in parts.items():
                for new, old in enumerate(part["id"], start=1):
                    geometry = it.paths.public / name / str(new) / "geometry.xyz"
                    assert geometry.read_bytes() == source.read(f"train/{old}/geometry.xyz")
                assert len(list((it.paths.public / name).iterdir())) == len(part)
                part["id"] = range(1, len(part) + 1)
        test = parts["test"]
        assert (it.paths.public / "train.csv").read_text() == parts["train"].to_csv(index=False)
        assert (it.paths.private / "test.csv").read_text() == test.to_csv(index=False)
        assert (it.paths.public / "test.csv").read_text() == test.drop(columns=TARGETS).to_csv(index=False)
        sample = "".join(f"{i},0.1779,1.8892\n" for i in test["id"])
        assert (it.paths.public / "sample_submission.csv").read_text() == f"id,{','.join(TARGETS)}\n" + sample

    @pytest.fixture
    def truth(self, made) -> pd.DataFrame:
        return pd.read_csv(made(NOMAD).paths.private / "test.csv")

    @pytest.mark.parametrize("seed", range(4))
    def test_random_submissions_are_compared_row_by_row(
        self, made, truth: pd.DataFrame, tmp_path: Path, seed: int
    ) -> None:
        rng = np.random.default_rng(seed)
        table = pd.DataFrame({t: rng.exponential(1, len(truth)) for t in TARGETS})
        wanted = np.mean([root_mean_squared_log_error(truth[t], table[t]) for t in TARGETS])
        # Ids in any order, ids of another contest, or none at all: they are not read.
        for ids in ({}, {"id": rng.permutation(len(truth))}, {"id": "x"}):
            assert math.isclose(made(NOMAD).score(table.assign(**ids), tmp_path), wanted, rel_tol=1e-12)

    def test_small_negative_values_are_scored_by_the_formula(self, made, truth: pd.DataFrame, tmp_path: Path) -> None:
        table = truth[["id"]].assign(**dict.fromkeys(TARGETS, -0.5))
        losses = [math.sqrt(sum((math.log(0.5) - math.log1p(a)) ** 2 for a in truth[t]) / len(truth)) for t in TARGETS]
        assert math.isclose(made(NOMAD).score(table, tmp_path), sum(losses) / 2, rel_tol=1e-12)

    @pytest.mark.parametrize("value", [-1.0, -3.0])
    def test_values_of_minus_one_and_below_are_invalid(
        self, made, truth: pd.DataFrame, tmp_path: Path, value: float
    ) -> None:
        table = truth[["id", *TARGETS]].copy()
        table.loc[3, "bandgap_energy_ev"] = value
        with pytest.raises(InvalidSubmissionError) as caught:
            made(NOMAD).score(table, tmp_path)
        assert caught.value.reason is Reason.OUT_OF_RANGE


class TestDenoising:
    def test_the_recipe(self, made) -> None:
        it = made(DENOISING)
        with (
            zipfile.ZipFile(it.paths.raw / "train.zip") as dirty,
            zipfile.ZipFile(it.paths.raw / "train_cleaned.zip") as cleaned,
        ):
            names = sorted(Path(name).name for name in dirty.namelist())
            train, test = train_test_split(names, test_size=0.2, random_state=0)
            for folder, wanted, source, inside in (
                ("train", train, dirty, "train"),
                ("train_cleaned", train, cleaned, "train_cleaned"),
                ("test", test, dirty, "train"),
            ):
                assert sorted(path.name for path in (it.paths.public / folder).iterdir()) == sorted(wanted)
                for name in wanted:
                    assert (it.paths.public / folder / name).read_bytes() == source.read(f"{inside}/{name}")
            rows = []
            for name in sorted(test):
                pixels = np.array(Image.open(io.BytesIO(cleaned.read(f"train_cleaned/{name}"))).convert("L")) / 255.0
                for row in range(pixels.shape[0]):
                    for column in range(pixels.shape[1]):
                        rows.append((f"{Path(name).stem}_{row + 1}_{column + 1}", pixels[row, column]))
        answers = pd.DataFrame(rows, columns=["id", "value"])
        assert (it.paths.private / "answers.csv").read_text() == answers.to_csv(index=False)
        answers["value"] = 1
        assert (it.paths.public / "sampleSubmission.csv").read_text() == answers.to_csv(index=False)
        assert not list(it.paths.public.rglob("*.zip"))

    @pytest.mark.parametrize("seed", range(4))
    def test_random_submissions_score_as_the_plain_procedure_does(self, made, tmp_path: Path, seed: int) -> None:
        it, rng = made(DENOISING), np.random.default_rng(seed)
        truth = pd.read_csv(it.paths.private / "answers.csv")
        # Values outside 0..1 are not clipped.
        table = truth.assign(value=rng.normal(0.5, 1.0, len(truth))).sample(frac=1, random_state=seed)
        given, wanted = table.sort_values("id"), truth.sort_values("id")
        assert (given["id"].to_numpy() == wanted["id"].to_numpy()).all()
        expected = root_mean_squared_error(wanted["value"], given["value"])
        assert math.isclose(it.score(table, tmp_path), expected, rel_tol=1e-12)

    def test_every_clean_page_is_shown_dirty_in_several_ways(self, made) -> None:
        """The made-up data has the leak that the mended edition is about: siblings with the same clean page."""
        with zipfile.ZipFile(made(DENOISING).paths.raw / "train_cleaned.zip") as cleaned:
            pages = pd.Series([cleaned.read(name) for name in cleaned.namelist()])
        assert pages.nunique() >= 5
        assert (pages.value_counts() >= 2).all()
