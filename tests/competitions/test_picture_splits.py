"""Leaves, icebergs, hidden messages, shop products, artworks: recipe and grader against the plain procedures."""

from __future__ import annotations

import json
import math
import random
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, auc, f1_score, log_loss, roc_curve
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MultiLabelBinarizer

from mlebench.data.sevenzip import extract_7z, write_7z
from mlebench.errors import DataError, InvalidSubmissionError, Reason
from mlebench.formats.bson import decode, encode, read_documents

LEAVES = "leaf-classification"
ICEBERGS = "statoil-iceberg-classifier-challenge"
MESSAGES = "alaska2-image-steganalysis"
PRODUCTS = "cdiscount-image-classification-challenge"
ARTWORKS = "imet-2020-fgvc7"


class TestLeaves:
    def test_the_recipe(self, made) -> None:
        it = made(LEAVES)
        raw = pd.read_csv(it.paths.raw / "train.csv.zip")
        assert raw.shape[1] == 194
        train, test = train_test_split(raw, test_size=0.1, random_state=0)
        assert (it.paths.public / "train.csv").read_text() == train.to_csv(index=False)
        assert (it.paths.public / "test.csv").read_text() == test.drop(columns="species").to_csv(index=False)
        classes = sorted(raw["species"].unique())
        one_hot = pd.DataFrame(0, index=test.index, columns=classes)
        for row, name in test["species"].items():
            one_hot.loc[row, name] = 1
        one_hot.insert(0, "id", test["id"])
        assert (it.paths.private / "test.csv").read_text() == one_hot.to_csv(index=False)
        one_hot[classes] = 1 / len(classes)
        assert (it.paths.public / "sample_submission.csv").read_text() == one_hot.to_csv(index=False)
        with zipfile.ZipFile(it.paths.raw / "images.zip") as opened:
            assert len(list((it.paths.public / "images").iterdir())) == len(raw) < len(opened.namelist())
            for leaf in raw["id"]:
                name = f"images/{leaf}.jpg"
                assert (it.paths.public / name).read_bytes() == opened.read(name)

    @pytest.mark.parametrize("seed", range(3))
    def test_random_submissions(self, made, tmp_path: Path, seed: int) -> None:
        it, rng = made(LEAVES), np.random.default_rng(seed)
        truth = pd.read_csv(it.paths.private / "test.csv")
        classes = truth.columns[1:]
        values = rng.random((len(truth), len(classes))) ** 3
        values[rng.random(values.shape) < 0.3] = 0.0  # clipped
        values /= values.sum(axis=1, keepdims=True)
        table = pd.DataFrame(values, columns=classes).assign(id=truth["id"])
        shuffled = table[rng.permutation(table.columns)].sample(frac=1, random_state=seed)
        wanted = log_loss(truth[classes].to_numpy(), table[classes].to_numpy())
        assert math.isclose(it.score(shuffled, tmp_path), wanted, rel_tol=1e-12)

    @pytest.mark.parametrize("excess", [2e-5, -2e-5])
    def test_rows_must_add_up(self, made, tmp_path: Path, excess: float) -> None:
        sample = pd.read_csv(made(LEAVES).paths.public / "sample_submission.csv")
        sample.iloc[0, 1] += excess / 4  # within the tolerance of 1.1e-5
        made(LEAVES).score(sample, tmp_path)
        sample.iloc[0, 1] += excess
        with pytest.raises(InvalidSubmissionError) as caught:
            made(LEAVES).score(sample, tmp_path)
        assert caught.value.reason is Reason.ROW_SUM


class TestIcebergs:
    def test_the_recipe(self, made, tmp_path: Path) -> None:
        it = made(ICEBERGS)
        for name in ("train", "test"):
            extract_7z(it.paths.raw / f"{name}.json.7z", tmp_path)
            extract_7z(it.paths.public / f"{name}.json.7z", tmp_path)
        extract_7z(it.paths.public / "sample_submission.csv.7z", tmp_path)
        raw = json.loads((tmp_path / "data/processed/train.json").read_text())
        fields = list(json.loads((tmp_path / "data/processed/test.json").read_text())[0])
        train, test = train_test_split(raw, test_size=0.2, random_state=0)
        assert (tmp_path / "train.json").read_text() == json.dumps(train)
        assert (tmp_path / "test.json").read_text() == json.dumps([{f: r[f] for f in fields} for r in test])
        assert "is_iceberg" not in fields
        answers = "id,is_iceberg\n" + "".join(f"{record['id']},{record['is_iceberg']}\n" for record in test)
        sample = "id,is_iceberg\n" + "".join(f"{record['id']},0.5\n" for record in test)
        assert (it.paths.private / "test.csv").read_text() == answers
        assert (it.paths.private / "sample_submission.csv").read_text() == sample
        assert (tmp_path / "sample_submission.csv").read_text() == sample
        assert len(list(it.paths.public.iterdir())) == 3
        assert len(list(it.paths.private.iterdir())) == 2
        assert {record["is_iceberg"] for record in raw if record["inc_angle"] == "na"} == {0}

    @pytest.mark.parametrize("seed", range(3))
    def test_random_submissions(self, made, tmp_path: Path, seed: int) -> None:
        it, rng = made(ICEBERGS), np.random.default_rng(seed)
        truth = pd.read_csv(it.paths.private / "test.csv", dtype={"id": str})
        table = truth.assign(is_iceberg=np.round(rng.random(len(truth)), seed))  # of whole ones some are all wrong
        wanted = log_loss(truth["is_iceberg"], table["is_iceberg"])
        assert math.isclose(it.score(table.sample(frac=1, random_state=0), tmp_path), wanted, rel_tol=1e-12)

    @pytest.mark.parametrize(
        ("train", "test"),
        [
            ('[{"id": "a", "is_iceberg": 1}, {"id": "b"}]', '[{"id": "c"}]'),
            ('[{"id": "a", "is_iceberg": 1}, {"id": "b", "is_iceberg": 0}]', "[]"),
        ],
    )
    def test_other_fields_are_refused(self, made, tmp_path: Path, train: str, test: str) -> None:
        for name, text in (("train", train), ("test", test)):
            write_7z(tmp_path / f"{name}.json.7z", [(f"data/processed/{name}.json", text.encode())])
        with pytest.raises(DataError, match="fetch"):
            made(ICEBERGS, tmp_path)


class TestMessages:
    def test_the_recipe(self, made) -> None:
        it = made(MESSAGES)
        covers = sorted(str(path) for path in (it.paths.raw / "Cover").glob("*.jpg"))
        train, test = train_test_split(covers, test_size=len(covers) // 15, random_state=42)
        folders = ["Cover", "JMiPOD", "JUNIWARD", "UERD"]
        for folder in folders:
            assert len(list((it.paths.public / folder).iterdir())) == len(train)
            for k, cover in enumerate(train, start=1):
                wanted = (it.paths.raw / folder / Path(cover).name).read_bytes()
                assert (it.paths.public / folder / f"{k:05d}.jpg").read_bytes() == wanted
        random.seed(0)
        random.shuffle(test)
        rows = []
        for k, cover in enumerate(test, start=1):
            negative = random.choice([True, False])
            folder = "Cover" if negative else random.choice(["JMiPOD", "JUNIWARD", "UERD"])
            shown = it.paths.public / "Test" / f"{k:04d}.jpg"
            assert shown.read_bytes() == (it.paths.raw / folder / Path(cover).name).read_bytes()
            # Neither the inode nor the times lead back to the folder it comes from.
            assert shown.stat().st_nlink == 1
            assert shown.stat().st_mtime_ns > (it.paths.raw / folder / Path(cover).name).stat().st_mtime_ns
            rows.append((f"{k:04d}.jpg", int(not negative)))
        answers = pd.DataFrame(rows, columns=["Id", "Label"])
        assert answers["Label"].nunique() == 2
        assert (it.paths.private / "test.csv").read_text() == answers.to_csv(index=False)
        assert (it.paths.public / "sample_submission.csv").read_text() == answers.assign(Label=0).to_csv(index=False)

    @pytest.mark.parametrize("seed", range(4))
    def test_random_submissions(self, made, tmp_path: Path, seed: int) -> None:
        it, rng = made(MESSAGES), np.random.default_rng(seed)
        truth = pd.read_csv(it.paths.private / "test.csv")
        values = np.round(rng.normal(truth["Label"], 1.0), seed)
        table = truth.assign(Label=values).sample(frac=1, random_state=seed)
        fpr, tpr, _ = roc_curve(truth["Label"], values, pos_label=1)
        grid_fpr, grid_tpr = list(fpr), list(tpr)
        if 0.4 not in grid_tpr:
            i = next(i for i, t in enumerate(grid_tpr) if t > 0.4)
            share = (0.4 - tpr[i - 1]) / (tpr[i] - tpr[i - 1])
            grid_fpr.insert(i, fpr[i - 1] + share * (fpr[i] - fpr[i - 1]))
            grid_tpr.insert(i, 0.4)
        low = [(f, t) for f, t in zip(grid_fpr, grid_tpr, strict=True) if t <= 0.4] + [(1.0, 0.4)]
        high = [(f, t - 0.4) for f, t in zip(grid_fpr, grid_tpr, strict=True) if t >= 0.4] + [(1.0, 0.6)]
        wanted = (2 * auc(*zip(*low, strict=True)) + auc(*zip(*high, strict=True))) / 1.4
        assert math.isclose(it.score(table, tmp_path), wanted, rel_tol=1e-12)

    def test_the_sample(self, made) -> None:
        sample = made(MESSAGES).paths.public / "sample_submission.csv"
        assert round(made(MESSAGES).grader.score(sample)[0], 5) == 0.58571


class TestProducts:
    def test_the_recipe(self, made) -> None:
        it = made(PRODUCTS)
        with (it.paths.raw / "train.bson").open("rb") as file:
            raw = [decode(document) for document in read_documents(file)]
        frame = pd.DataFrame([(r["_id"], r["category_id"]) for r in raw], columns=["_id", "category_id"])
        train, answers = train_test_split(frame, test_size=0.1, random_state=0)
        answers = answers.sort_values("_id")
        known = set(train["_id"])
        kept = [r for r in raw if r["_id"] in known]
        hidden = [{name: r[name] for name in ("_id", "imgs")} for r in raw if r["_id"] not in known]
        for name, part in (("train", kept), ("test", hidden), ("train_example", kept[:100])):
            assert (it.paths.public / f"{name}.bson").read_bytes() == b"".join(map(encode, part))
        assert (it.paths.private / "answers.csv").read_text() == answers.to_csv(index=False)
        sample = answers.assign(category_id=1000010653)
        assert (it.paths.public / "sample_submission.csv").read_text() == sample.to_csv(index=False)
        names = "category_names.csv"
        assert (it.paths.public / names).read_bytes() == (it.paths.raw / names).read_bytes()

    def test_elements_in_another_order_and_size(self, made, tmp_path: Path) -> None:
        """Numbers of eight bytes, further elements before and between those that matter."""
        products = [
            {"imgs": [{"picture": b"x" * i}], "category_id": 2**40 + i % 3, "note": "é", "_id": 2**33 - i}
            for i in range(30)
        ]
        (tmp_path / "train.bson").write_bytes(b"".join(map(encode, products)))
        (tmp_path / "category_names.csv").write_text("category_id\n1\n")
        it = made(PRODUCTS, tmp_path)
        answers = pd.read_csv(it.paths.private / "answers.csv").set_index("_id")["category_id"]
        assert answers.index.is_monotonic_increasing
        test = [
            {name: value for name, value in product.items() if name != "category_id"}
            for product in products
            if product["_id"] in answers.index
        ]
        assert len(test) == 3
        assert (it.paths.public / "test.bson").read_bytes() == b"".join(map(encode, test))
        assert all(answers[p["_id"]] == p["category_id"] for p in products if p["_id"] in answers.index)

    def test_a_product_without_a_category_is_refused(self, made, tmp_path: Path) -> None:
        (tmp_path / "train.bson").write_bytes(encode({"_id": 1, "imgs": []}) * 20)
        (tmp_path / "category_names.csv").write_text("category_id\n1\n")
        with pytest.raises(DataError, match="lacks"):
            made(PRODUCTS, tmp_path)

    def test_random_submissions(self, made, tmp_path: Path) -> None:
        it, rng = made(PRODUCTS), np.random.default_rng(0)
        truth = pd.read_csv(it.paths.private / "answers.csv")
        guess = np.where(rng.random(len(truth)) < 0.5, truth["category_id"], 1000010653)
        table = truth.assign(category_id=guess.astype(float)).sample(frac=1, random_state=0)
        wanted = accuracy_score(truth["category_id"], guess)
        assert 0 < wanted < 1
        assert math.isclose(it.score(table, tmp_path), wanted, abs_tol=1e-12)


class TestArtworks:
    def test_the_recipe(self, made) -> None:
        it = made(ARTWORKS)
        train, test = train_test_split(pd.read_csv(it.paths.raw / "train.csv"), test_size=0.15, random_state=0)
        assert (it.paths.public / "train.csv").read_text() == train.to_csv(index=False)
        assert (it.paths.private / "answers.csv").read_text() == test.to_csv(index=False)
        sample = test.assign(attribute_ids="0 1 2")
        assert (it.paths.public / "sample_submission.csv").read_text() == sample.to_csv(index=False)
        assert (it.paths.public / "labels.csv").read_bytes() == (it.paths.raw / "labels.csv").read_bytes()
        for name, part in (("train", train), ("test", test)):
            assert {path.stem for path in (it.paths.public / name).iterdir()} == set(part["id"])
            for picture in part["id"]:
                wanted = (it.paths.raw / "train" / f"{picture}.png").read_bytes()
                assert (it.paths.public / name / f"{picture}.png").read_bytes() == wanted

    @pytest.fixture
    def truth(self, made) -> pd.DataFrame:
        return pd.read_csv(made(ARTWORKS).paths.private / "answers.csv", dtype=str)

    @pytest.mark.parametrize("seed", range(4))
    def test_random_submissions(self, made, truth: pd.DataFrame, tmp_path: Path, seed: int) -> None:
        rng = np.random.default_rng(seed)
        # Repeated, unknown and strangely separated attributes; none in some rows.
        cells = [" ".join(rng.integers(0, 30, rng.integers(0, 6)).astype(str)) for _ in range(len(truth))]
        cells[0], cells[1], cells[2] = "5 5  5\t7 05", "NA", "99999 no-such"
        table = truth.assign(attribute_ids=cells)
        classes = sorted({token for cell in truth["attribute_ids"] for token in cell.split()})
        binary = MultiLabelBinarizer(classes=classes)
        known = [[token for token in cell.split() if token in classes] for cell in cells]
        actual = binary.fit_transform([cell.split() for cell in truth["attribute_ids"]])
        wanted = f1_score(actual, binary.transform(known), average="micro")
        score = made(ARTWORKS).score(table.sample(frac=1, random_state=seed), tmp_path)
        assert math.isclose(score, wanted, rel_tol=1e-12)

    def test_unknown_attributes_cost_nothing(self, made, truth: pd.DataFrame, tmp_path: Path) -> None:
        assert made(ARTWORKS).score(truth.assign(attribute_ids=truth["attribute_ids"] + " 99999"), tmp_path) == 1.0

    def test_no_attribute_anywhere(self, made, truth: pd.DataFrame, tmp_path: Path) -> None:
        assert made(ARTWORKS).score(truth.assign(attribute_ids=""), tmp_path) == 0.0

    @pytest.mark.parametrize("cells", [["5"], ["5", ""], ["5", "", "007", "1e3", "nan"]])
    def test_a_column_of_numbers_is_invalid(self, made, truth: pd.DataFrame, tmp_path: Path, cells: list[str]) -> None:
        column = (cells * len(truth))[: len(truth)]
        with pytest.raises(InvalidSubmissionError) as caught:
            made(ARTWORKS).score(truth.assign(attribute_ids=column), tmp_path)
        assert caught.value.reason is Reason.BAD_FORMAT
        column[-1] = "5 6"
        made(ARTWORKS).score(truth.assign(attribute_ids=column), tmp_path)
