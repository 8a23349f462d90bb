"""MLSP birds: the recipe against the published one, spelled out row by row, and the pooled area."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

ID = "mlsp-2013-birds"
TOP = "mlsp_contest_dataset/"


@pytest.fixture
def raw(made) -> zipfile.ZipFile:
    with zipfile.ZipFile(made(ID).paths.raw / "mlsp_contest_dataset.zip") as archive:
        yield archive


def lines(raw: zipfile.ZipFile, name: str) -> list[str]:
    return raw.read(TOP + name).decode().splitlines()


def labelled(raw: zipfile.ZipFile) -> tuple[list[int], set[int]]:
    """Old numbers of the labelled recordings, and the new numbers of those that become test."""
    folds = [line.split(",") for line in lines(raw, "essential_data/CVfolds_2.txt")[1:]]
    old = [int(rec) for rec, fold in folds if fold == "0"]
    test = pd.DataFrame({"rec": old}).sample(frac=0.2, random_state=0).index
    return old, set(test)


def test_tables_as_published(made, raw: zipfile.ZipFile) -> None:
    public = made(ID).paths.public
    old, test = labelled(raw)
    folds = ["rec_id,fold", *(f"{new},{int(new in test)}" for new in range(len(old)))]
    assert (public / "essential_data/CVfolds_2.txt").read_text().splitlines() == folds

    for name in ("histogram_of_segments", "segment_features", "segment_rectangles"):
        wanted = ["rec_id,[histogram of segment features]"]
        for line in lines(raw, f"supplemental_data/{name}.txt")[1:]:
            first, rest = line.split(",", 1)
            if int(first) in old:
                wanted.append(f"{old.index(int(first))},{rest}")
        assert (public / f"supplemental_data/{name}.txt").read_text() == "\n".join(wanted) + "\n"
        assert len(wanted) > 20


def test_labels_and_answers_as_published(made, raw: zipfile.ZipFile) -> None:
    paths = made(ID).paths
    old, test = labelled(raw)
    shown, answers = ["rec_id,[labels]"], ["Id,Probability"]
    for line in lines(raw, "essential_data/rec_labels_test_hidden.txt")[1:]:
        rec, *species = line.split(",")
        if int(rec) not in old:
            continue
        new = old.index(int(rec))
        shown.append(f"{new},?" if new in test else ",".join([str(new), *species]))
        if new in test:
            answers += [f"{new * 100 + s},{int(str(s) in species)}" for s in range(19)]
    assert (paths.public / "essential_data/rec_labels_test_hidden.txt").read_text() == "\n".join(shown) + "\n"
    assert (paths.private / "answers.csv").read_text() == "\n".join(answers) + "\n"
    sample = [f"{new * 100 + s},0" for new in sorted(test) for s in range(19)]
    assert (paths.public / "sample_submission.csv").read_text() == "\n".join(["Id,Probability", *sample]) + "\n"
    assert any("," not in line for line in shown)  # recordings without a bird


def test_files_as_published(made, raw: zipfile.ZipFile) -> None:
    public = made(ID).paths.public
    old, _ = labelled(raw)
    names = dict(line.split(",") for line in lines(raw, "essential_data/rec_id2filename.txt")[1:])
    kept = [names[str(rec)] for rec in old]
    for folder in (
        "essential_data/src_wavs",
        "supplemental_data/spectrograms",
        "supplemental_data/filtered_spectrograms",
        "supplemental_data/supervised_segmentation",
    ):
        assert sorted(path.stem for path in (public / folder).iterdir()) == sorted(kept)
        for path in (public / folder).iterdir():
            assert path.read_bytes() == raw.read(f"{TOP}{folder}/{path.name}")
    examples = {path.stem for path in (public / "supplemental_data/segmentation_examples").iterdir()}
    assert examples
    assert examples < set(kept)
    renamed = [f"{new},{name}" for new, name in enumerate(kept)]
    assert (public / "essential_data/rec_id2filename.txt").read_text().splitlines() == ["rec_id,filename", *renamed]


def test_scores_as_published(made, tmp_path: Path) -> None:
    it = made(ID)
    answers = pd.read_csv(it.paths.private / "answers.csv")
    guess = np.random.default_rng(0).integers(0, 8, len(answers)) / 7
    submission = answers[["Id"]].assign(Probability=guess).sample(frac=1, random_state=0)
    assert it.score(submission, tmp_path) == pytest.approx(roc_auc_score(answers["Probability"], guess), abs=1e-12)
