"""The baseline agent on small made-up tasks, each of the shape of a kind of Kaggle competition."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from solver import main, submit
from solver.environment import Clock, Environment
from solver.submit import Submitter
from solver.task import find_sample, read_sample, read_task

ROWS, TEST_ROWS = 240, 80


@pytest.fixture
def public(tmp_path: Path) -> Path:
    folder = tmp_path / "public"
    folder.mkdir()
    return folder


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _no_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submit, "validate", lambda url, file: (True, "not asked"))


def run(public: Path, seconds: float = 1.0) -> tuple[pd.DataFrame, dict]:
    """The baseline's submission as text, and its summary; a short time means that few models are tried."""
    submission = public.parent / "submission" / "submission.csv"
    environment = Environment.read({"DATA_DIR": str(public), "SUBMISSION_FILE": str(submission)})
    submitter = Submitter(environment)
    sample = find_sample(public)
    assert sample is not None
    submitter.put_sample(sample)
    summary = main.improve(read_task(public, read_sample(sample)), submitter, Clock(seconds))
    return pd.read_csv(submission, dtype=str, keep_default_na=False), summary


def write(public: Path, **tables: pd.DataFrame) -> None:
    for name, table in tables.items():
        table.to_csv(public / f"{name}.csv", index=False)


def zipped(path: Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def auc(truth: np.ndarray, scores: pd.Series) -> float:
    values = scores.astype(float).to_numpy()
    differences = values[truth == 1][:, None] - values[truth == 0][None, :]
    return float(np.mean((differences > 0) + 0.5 * (differences == 0)))


def sentences(random: np.random.Generator, marked: np.ndarray, mark: str) -> list[str]:
    words = np.array(
        [
            "the",
            "house",
            "stood",
            "silent",
            "under",
            "a",
            "pale",
            "moon",
            "while",
            "rain",
            "fell",
            "on",
            "every",
            "roof",
        ]
    )
    return [" ".join([*random.choice(words, 9), mark if m else "hill"]) for m in marked]


def test_two_numeric_targets(public: Path, random: np.random.Generator) -> None:
    x = random.random((ROWS + TEST_ROWS, 3))
    table = pd.DataFrame(x, columns=["a", "b", "c"]).assign(energy=x[:, 0] + 0.1, gap=3 * x[:, 1] * x[:, 1])
    table.insert(0, "id", [*range(1, ROWS + 1), *range(1, TEST_ROWS + 1)])
    train, test = table[:ROWS], table[ROWS:]
    sample = test[["id"]].assign(energy=0.5, gap=1.0)
    write(public, train=train, test=test.drop(columns=["energy", "gap"]), sample_submission=sample)
    (public / "description.md").write_text("Root mean squared logarithmic error (RMSLE) of both columns.")
    answer, summary = run(public)
    for name in ("energy", "gap"):
        error = np.sqrt(np.mean((answer[name].astype(float).to_numpy() - test[name].to_numpy()) ** 2))
        assert error < 0.5 * test[name].std()
    assert "RMSE of log(1 + y)" in summary["goals"][0]["cross_validation"]
    assert list(answer["id"]) == [str(i) for i in range(1, TEST_ROWS + 1)]


def test_json_records_with_more_training_keys(public: Path, random: np.random.Generator) -> None:
    truth = random.integers(0, 2, ROWS + TEST_ROWS)
    records = [
        {"request_id": f"t3_{i:05x}", "text": text, "groups": ["a", "b"][: 1 + int(y)], "age": int(i), "got": bool(y)}
        for i, (text, y) in enumerate(zip(sentences(random, truth, "please"), truth, strict=True))
    ]
    train = [{**record, "votes_later": 5} for record in records[:ROWS]]
    test = [{key: value for key, value in record.items() if key != "got"} for record in records[ROWS:]]
    for name, part in (("train", train), ("test", test)):
        (public / f"{name}.json").write_text(json.dumps(part))
        zipped(public / f"{name}.zip", {f"{name}.json": json.dumps(part).encode()})
    sample = pd.DataFrame({"request_id": [record["request_id"] for record in test], "got": 0})
    sample.to_csv(public / "sampleSubmission.csv", index=False)
    (public / "description.md").write_text("Area under the ROC curve.")
    answer, summary = run(public)
    assert summary["goals"][0]["kind"] == "PROBABILITY"
    assert auc(truth[ROWS:], answer["got"]) > 0.95


def test_sample_that_repeats_the_text(public: Path, random: np.random.Generator) -> None:
    truth = random.integers(0, 2, ROWS + TEST_ROWS)
    comments = [f'"{text} {i}"' for i, text in enumerate(sentences(random, truth, "fool"))]
    dates = np.where(random.random(len(truth)) < 0.2, "", "20120618192155Z")
    table = pd.DataFrame({"Insult": truth, "Date": dates, "Comment": comments})
    write(
        public,
        train=table[:ROWS],
        test=table[ROWS:].drop(columns="Insult"),
        sample_submission_null=table[ROWS:].assign(Insult=0),
    )
    answer, _ = run(public)
    assert list(answer.columns) == ["Insult", "Date", "Comment"]
    assert list(answer["Comment"]) == comments[ROWS:]
    assert auc(truth[ROWS:], answer["Insult"]) > 0.95


def test_pictures_in_zips(public: Path, random: np.random.Generator, tmp_path: Path) -> None:
    truth = random.integers(0, 2, 120)
    names = [f"{i:08x}.jpg" for i in random.permutation(120)]
    content = {}
    for name, y in zip(names, truth, strict=True):
        pixels = random.integers(100, 150, (32, 32, 3), dtype=np.uint8)
        if y:
            pixels[8:20, 8:20, 1] += 80
        Image.fromarray(pixels).save(tmp_path / name)
        content[name] = (tmp_path / name).read_bytes()
    zipped(public / "train.zip", {name: content[name] for name in names[:80]})
    zipped(public / "test.zip", {name: content[name] for name in names[80:]})
    table = pd.DataFrame({"id": names, "has_cactus": truth})
    write(public, train=table[:80], sample_submission=table[80:].assign(has_cactus=0.5))
    answer, summary = run(public, seconds=20.0)
    assert "pictures" in summary["strategy"]
    assert auc(truth[80:], answer["has_cactus"]) > 0.95


def test_pictures_in_class_folders(public: Path, random: np.random.Generator) -> None:
    (public / "test").mkdir()
    truth = []
    for i in range(90):
        kind = i % 3
        pixels = np.full((20, 20), 60 * (kind + 1), np.uint8) + random.integers(0, 20, (20, 20), dtype=np.uint8)
        folder = public / "train" / ["maize", "beet", "charlock"][kind] if i < 60 else public / "test"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / f"{i}.png")
        truth += [["maize", "beet", "charlock"][kind]] * (i >= 60)
    write(public, sample_submission=pd.DataFrame({"file": [f"{i}.png" for i in range(60, 90)], "species": "maize"}))
    answer, _ = run(public, seconds=20.0)
    assert (answer["species"] == truth).mean() > 0.9


def test_picture_to_picture(public: Path, random: np.random.Generator) -> None:
    truth = {}
    for i in range(1, 8):
        ink = random.random((14, 20)) < 0.2
        clean = np.where(ink, 0, 255).astype(np.uint8)
        dirty = np.clip(np.where(ink, 40, 170) + random.integers(-20, 20, ink.shape), 0, 255).astype(np.uint8)
        for folder, picture in (("train", dirty), ("train_cleaned", clean)) if i < 6 else (("test", dirty),):
            (public / folder).mkdir(exist_ok=True)
            Image.fromarray(picture).save(public / folder / f"{i}.png")
        if i >= 6:
            truth |= {f"{i}_{r + 1}_{c + 1}": clean[r, c] / 255 for r in range(14) for c in range(20)}
    write(public, sampleSubmission=pd.DataFrame({"id": list(truth), "value": 1}))
    answer, summary = run(public, seconds=60.0)
    error = np.sqrt(np.mean((answer["value"].astype(float).to_numpy() - np.array(list(truth.values()))) ** 2))
    assert summary["strategy"].startswith("regression of pixels")
    assert error < 0.1


def test_text_looked_up(public: Path, random: np.random.Generator) -> None:
    spoken = {"1": "one", "2": "two", "3": "three", "NA": "n a", "null": "null"}
    words = [*spoken, *(f"word{i}" for i in range(50))]
    before = random.choice(words, 1_200)
    table = pd.DataFrame(
        {
            "sentence_id": np.arange(1_200) // 6,
            "token_id": np.arange(1_200) % 6,
            "class": "PLAIN",
            "before": before,
            "after": [spoken.get(word, word) for word in before],
        }
    )
    test = table[900:]
    ids = test["sentence_id"].astype(str) + "_" + test["token_id"].astype(str)
    parts = {
        "en_train": table[:900],
        "en_test_2": test[["sentence_id", "token_id", "before"]],
        "en_sample_submission_2": pd.DataFrame({"id": ids, "after": test["before"]}),
    }
    for name, part in parts.items():
        zipped(public / f"{name}.csv.zip", {f"{name}.csv": part.to_csv(index=False).encode()})
    answer, summary = run(public)
    assert summary["rule"] == "look up, else copy of before"
    assert list(answer["after"]) == list(test["after"])


def test_text_copied(public: Path, random: np.random.Generator) -> None:
    text = [f"{s} {i}" for i, s in enumerate(sentences(random, random.integers(0, 2, 300), "great"))]
    table = pd.DataFrame({"textID": [f"{i:010x}" for i in range(300)], "text": text, "selected_text": text})
    table["selected_text"] = [t if i % 3 else t.split()[-2] for i, t in enumerate(text)]
    test = table[200:]
    write(public, train=table[:200], test=test[["textID", "text"]])
    write(public, sample_submission=test[["textID"]].assign(selected_text=""))
    answer, summary = run(public)
    assert summary["rule"] == "copy of text"
    assert list(answer["selected_text"]) == list(test["text"])


def test_whole_number_classes_of_which_one_occurs_once(public: Path, random: np.random.Generator) -> None:
    height = random.random(ROWS + TEST_ROWS)
    kinds = 1 + (height * 4).astype(int)
    kinds[0] = 7
    table = pd.DataFrame({"Id": random.permutation(len(height)), "Elevation": height, "Soil": 0, "Cover_Type": kinds})
    test = table[ROWS:]
    write(public, train=table[:ROWS], test=test.drop(columns="Cover_Type"))
    write(public, sample_submission=test[["Id"]].assign(Cover_Type=2))
    answer, _ = run(public)
    assert (answer["Cover_Type"].astype(int) == test["Cover_Type"].to_numpy()).mean() > 0.7


def test_true_and_false_with_gaps_and_codes(public: Path, random: np.random.Generator) -> None:
    side = random.choice(["P", "S"], ROWS + TEST_ROWS)
    cabin = [f"B/{i}/{s}" if i % 10 else "" for i, s in enumerate(side)]
    table = pd.DataFrame({"Passenger": [f"{i:04d}_01" for i in range(len(side))], "Cabin": cabin, "Gone": side == "P"})
    table.insert(1, "Asleep", np.where(random.random(len(side)) < 0.3, "", np.where(side == "P", "True", "False")))
    test = table[ROWS:]
    write(
        public,
        train=table[:ROWS],
        test=test.drop(columns="Gone"),
        sample_submission=test[["Passenger"]].assign(Gone=False),
    )
    answer, summary = run(public)
    assert summary["strategy"] == "models on table columns"
    assert set(answer["Gone"]) == {"True", "False"}
    assert (answer["Gone"] == test["Gone"].astype(str).to_numpy()).mean() > 0.85


def test_a_probability_for_each_class(public: Path, random: np.random.Generator) -> None:
    truth = random.integers(0, 2, ROWS + TEST_ROWS)
    author = np.where(truth == 1, "HPL", "EAP")
    table = pd.DataFrame({"id": [f"id{i:05d}" for i in range(len(truth))], "text": sentences(random, truth, "abyss")})
    table["author"] = author
    test = table[ROWS:]
    sample = test[["id"]].assign(EAP=0.4, HPL=0.6)
    write(public, train=table[:ROWS], test=test[["id", "text"]], sample_submission=sample)
    answer, _ = run(public)
    shares = answer[["EAP", "HPL"]].astype(float)
    assert np.allclose(shares.sum(axis=1), 1)
    assert (shares.idxmax(axis=1) == author[ROWS:]).mean() > 0.95


def test_sample_in_another_order_than_the_test_table(public: Path, random: np.random.Generator) -> None:
    x = random.random(ROWS + TEST_ROWS)
    table = pd.DataFrame({"id": random.permutation(len(x)), "x": x, "y": 100 * x})
    test = table[ROWS:].sample(frac=1, random_state=1)
    write(public, train=table[:ROWS], test=table[ROWS:][["id", "x"]], sample_submission=test[["id"]].assign(y=0.5))
    answer, _ = run(public)
    assert list(answer["id"].astype(int)) == list(test["id"])
    assert np.abs(answer["y"].astype(float).to_numpy() - test["y"].to_numpy()).mean() < 5


def test_unknown_shape_keeps_the_sample(public: Path) -> None:
    write(public, train=pd.DataFrame({"image_id": ["a", "a"], "class_id": [1, 2], "x_min": [0.5, 1.5]}))
    sample = pd.DataFrame({"image_id": ["b", "c"], "PredictionString": "14 1 0 0 1 1"})
    write(public, sample_submission=sample)
    answer, summary = run(public)
    assert answer.equals(sample)
    assert summary == {"strategy": "sample submission", "submitted": 0}


def test_failing_strategy_keeps_the_sample(public: Path, caplog: pytest.LogCaptureFixture) -> None:
    for folder in ("train", "test"):
        (public / folder).mkdir()
        for i in range(40):
            (public / folder / f"{i}.png").write_bytes(b"no picture")
    table = pd.DataFrame({"id": range(40), "y": [0, 1] * 20})
    write(public, train=table, sample_submission=table.assign(y=0.5))
    answer, summary = run(public)
    assert list(answer["y"]) == ["0.5"] * 40
    assert summary["submitted"] == 0
    assert "pictures failed" in caplog.text


def test_out_of_time_from_the_start_still_gives_a_first_model(public: Path) -> None:
    write(public, train=pd.DataFrame({"id": range(40), "x": range(40), "y": np.arange(40) * 1.5}))
    write(public, test=pd.DataFrame({"id": [50, 51], "x": [1, 2]}))
    write(public, sample_submission=pd.DataFrame({"id": [50, 51], "y": [0.1, 0.1]}))
    answer, summary = run(public, seconds=-1.0)
    assert np.allclose(answer["y"].astype(float), [1.5, 3.0], atol=1)
    assert summary["submitted"] == 1


def test_refused_probabilities_become_classes(
    public: Path, random: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def whole_numbers_only(url: str, file: Path) -> tuple[bool, str]:
        whole = set(pd.read_csv(file, dtype=str)["y"]) <= {"0", "1"}
        return whole, "Submission is valid" if whole else "Submission is invalid"

    monkeypatch.setattr(submit, "validate", whole_numbers_only)
    x = random.random(ROWS + TEST_ROWS)
    table = pd.DataFrame({"id": range(len(x)), "x": x, "y": (x > 0.5).astype(int)})
    write(
        public, train=table[:ROWS], test=table[ROWS:][["id", "x"]], sample_submission=table[ROWS:][["id"]].assign(y=0)
    )
    answer, _ = run(public)
    assert (answer["y"].astype(int) == table["y"][ROWS:].to_numpy()).mean() > 0.9
