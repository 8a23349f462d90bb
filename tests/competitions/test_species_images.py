"""Herbarium 2020, 2021, 2022 and iNaturalist 2019: recipes and graders against the plain procedures."""

from __future__ import annotations

import io
import json
import random
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import train_test_split

from mlebench.errors import DataError, InvalidSubmissionError
from mlebench.recipes.labelled_images import pairs_by_category

OLD = {"herbarium-2020-fgvc7": ("nybg2020", "latin-1"), "herbarium-2021-fgvc8": ("", "utf-8")}
NEW = "herbarium-2022-fgvc9"
INATURALIST = "inaturalist-2019-fgvc6"


def plain_split(metadata: dict, share: float, key: str, *, few_apart: bool) -> tuple[dict[int, list], list]:
    """Train pairs by category and the shuffled test pairs, step by step."""
    categories: dict[int, list] = {}
    for annotation, image in zip(metadata["annotations"], metadata["images"], strict=True):
        assert annotation["image_id"] == image[key]
        categories.setdefault(annotation["category_id"], []).append((annotation, image))
    train, test = {}, []
    for category, pairs in categories.items():
        if few_apart and len(pairs) == 1:
            kept, held_out = pairs, []
        elif few_apart and len(pairs) <= 4:
            count = max(1, int(share * len(pairs)))
            kept, held_out = pairs[:-count], pairs[-count:]
        else:
            kept, held_out = train_test_split(pairs, test_size=share, random_state=0)
        train[category] = kept
        test += held_out
    random.Random(0).shuffle(test)
    return train, test


def assert_json(path: Path, document: Any) -> None:
    """The file holds these very bytes."""
    buffer = io.StringIO()
    json.dump(document, buffer, indent=4, sort_keys=True)
    assert path.read_bytes() == buffer.getvalue().encode("ascii")


def assert_same_files(raw: Path, public: Path, pairs: list[tuple[str, str]]) -> None:
    """Every public file is the raw file that it should be, and there is no other."""
    assert all((public / new).read_bytes() == (raw / old).read_bytes() for old, new in pairs)
    assert sorted(path.relative_to(public).as_posix() for path in public.rglob("*.jpg")) == sorted(
        new for _, new in pairs
    )


@pytest.mark.parametrize("name", OLD)
class TestHerbarium2020And2021:
    def test_the_recipe(self, made, name: str) -> None:
        it, (folder, encoding) = made(name), OLD[name]
        raw, public = it.paths.raw / folder, it.paths.public / folder
        metadata = json.loads((raw / "train/metadata.json").read_text(encoding=encoding))
        train, test = plain_split(metadata, 0.2, "id", few_apart=True)
        pairs = [pair for group in train.values() for pair in group]
        lists = {"annotations": [pair[0] for pair in pairs], "images": [pair[1] for pair in pairs]}
        assert_json(public / "train/metadata.json", {**metadata, **lists})
        images = [
            {**image, "id": str(k), "file_name": f"images/{k // 1000:03d}/{k}.jpg"} for k, (_, image) in enumerate(test)
        ]
        assert_json(public / "test/metadata.json", {"images": images, **{k: metadata[k] for k in ("info", "licenses")}})
        files = [(f"train/{image['file_name']}", f"train/{image['file_name']}") for _, image in pairs]
        files += [
            (f"train/{image['file_name']}", f"test/images/{k // 1000:03d}/{k}.jpg") for k, (_, image) in enumerate(test)
        ]
        assert_same_files(raw, public, files)
        answers = "".join(f"{k},{annotation['category_id']}\n" for k, (annotation, _) in enumerate(test))
        zeros = "".join(f"{k},0\n" for k in range(len(test)))
        assert (it.paths.private / "answers.csv").read_text() == "Id,Predicted\n" + answers
        assert (it.paths.public / "sample_submission.csv").read_text() == "Id,Predicted\n" + zeros

    def test_every_rule_of_the_split_has_its_turn(self, made, name: str) -> None:
        it, (folder, encoding) = made(name), OLD[name]
        metadata = json.loads((it.paths.raw / folder / "train/metadata.json").read_text(encoding=encoding))
        sizes = {len(group) for group in pairs_by_category(metadata)}
        assert 1 in sizes and sizes & {2, 3, 4} and max(sizes) > 5
        tested = set(pd.read_csv(it.paths.private / "answers.csv")["Predicted"])
        assert tested == {group[0][0]["category_id"] for group in pairs_by_category(metadata) if len(group) > 1}


class TestHerbarium2022:
    def test_the_recipe(self, made) -> None:
        it = made(NEW)
        raw, public = it.paths.raw, it.paths.public
        metadata = json.loads((raw / "train_metadata.json").read_text())
        train, test = plain_split(metadata, 0.2, "image_id", few_apart=False)
        annotations, images, files = [], [], []
        for category, pairs in train.items():
            for number, (annotation, image) in enumerate(pairs):
                key = f"{category:05d}__{number + 1:03d}"
                name = f"{category // 100:03d}/{category % 100:02d}/{key}.jpg"
                annotations.append({**annotation, "image_id": key})
                images.append({**image, "image_id": key, "file_name": name})
                files.append((f"train_images/{image['file_name']}", f"train_images/{name}"))
        assert_json(public / "train_metadata.json", {**metadata, "annotations": annotations, "images": images})
        hidden = [
            {**image, "image_id": str(k), "file_name": f"{k // 1000:03d}/test-{k:06d}.jpg"}
            for k, (_, image) in enumerate(test)
        ]
        assert_json(public / "test_metadata.json", hidden)
        files += [
            (f"train_images/{old['file_name']}", f"test_images/{new['file_name']}")
            for (_, old), new in zip(test, hidden, strict=True)
        ]
        assert_same_files(raw, public, files)
        answers = "".join(f"{k},{annotation['category_id']}\n" for k, (annotation, _) in enumerate(test))
        assert (it.paths.private / "answers.csv").read_text() == "Id,Predicted\n" + answers
        sample = pd.read_csv(public / "sample_submission.csv")
        assert (sample["Predicted"] == 42).all() and sample["Id"].tolist() == list(range(len(test)))
        assert {annotation["category_id"] for annotation, _ in test} == set(train)
        assert 15_504 in train


@pytest.mark.parametrize("name", [*OLD, NEW])
@pytest.mark.parametrize("seed", range(3))
def test_herbarium_scores_as_the_plain_procedure_does(made, tmp_path: Path, name: str, seed: int) -> None:
    it, rng = made(name), np.random.default_rng(seed)
    truth = pd.read_csv(it.paths.private / "answers.csv")
    other = rng.choice([*truth["Predicted"], 99_999, -3], len(truth))
    guess = np.where(rng.random(len(truth)) < 0.6, truth["Predicted"], other) + (0.7 if seed == 2 else 0)
    table = pd.DataFrame({"Predicted": guess, "Id": truth["Id"]}).sample(frac=1, random_state=seed)
    ordered = table.sort_values("Id")
    wanted = f1_score(
        [int(one) for one in truth.sort_values("Id")["Predicted"]],
        [int(one) for one in ordered["Predicted"]],
        average="macro",
    )
    assert it.score(table, tmp_path) == pytest.approx(wanted, abs=1e-12)


class TestINaturalist:
    def test_the_recipe(self, made) -> None:
        it = made(INATURALIST)
        raw, public = it.paths.raw, it.paths.public
        metadata = json.loads((raw / "train2019.json").read_text())
        train, test = plain_split(metadata, 0.12, "id", few_apart=True)
        pairs = [pair for group in train.values() for pair in group]
        lists = {"annotations": [pair[0] for pair in pairs], "images": [pair[1] for pair in pairs]}
        assert_json(public / "train2019.json", {**metadata, **lists})
        names = {image["file_name"]: "test2019/" + image["file_name"].split("/")[-1] for _, image in test}
        hidden = [{**image, "file_name": names[image["file_name"]]} for _, image in test]
        assert_json(
            public / "test2019.json", {"images": hidden, **{key: metadata[key] for key in ("info", "licenses")}}
        )
        assert (public / "val2019.json").read_bytes() == (raw / "val2019.json").read_bytes()
        answers = "".join(f"{image['id']},{annotation['category_id']}\n" for annotation, image in test)
        constant = "".join(f"{image['id']},{random.Random(42).randint(0, 1009)}\n" for _, image in test)
        assert (it.paths.private / "answers.csv").read_text() == "id,predicted\n" + answers
        assert (public / "kaggle_sample_submission.csv").read_text() == "id,predicted\n" + constant

        source = content_of(raw / "train_val2019.tar.gz", "r:gz")
        shown = content_of(public / "train_val2019.tar.gz", "r:")
        assert shown == {
            image["file_name"].removeprefix("train_val2019/"): source[image["file_name"]] for _, image in pairs
        }
        tested = content_of(public / "test2019.tar.gz", "r:")
        assert tested == {new.removeprefix("test2019/"): source[old] for old, new in names.items()}
        assert list(tested) == sorted(tested)
        assert not (public / "test2019").exists()

    def test_unpacked_images_serve_as_well(self, made, tmp_path: Path) -> None:
        it = made(INATURALIST)
        for name in ("train2019.json", "val2019.json"):
            (tmp_path / name).write_bytes((it.paths.raw / name).read_bytes())
        with tarfile.open(it.paths.raw / "train_val2019.tar.gz") as archive:
            archive.extractall(tmp_path, filter="data")
        again = made(INATURALIST, tmp_path)
        for name in ("train_val2019.tar.gz", "test2019.tar.gz"):
            assert content_of(again.paths.public / name, "r:") == content_of(it.paths.public / name, "r:")

    def test_a_missing_image_is_told(self, made, tmp_path: Path) -> None:
        it = made(INATURALIST)
        for name in ("train2019.json", "val2019.json"):
            (tmp_path / name).write_bytes((it.paths.raw / name).read_bytes())
        (tmp_path / "train_val2019").mkdir()
        with pytest.raises(DataError, match=r"lacks .* listed images"):
            made(INATURALIST, tmp_path)

    @pytest.mark.parametrize("seed", range(3))
    def test_scores_as_the_plain_procedure_does(self, made, tmp_path: Path, seed: int) -> None:
        it, rng = made(INATURALIST), np.random.default_rng(seed)
        truth = pd.read_csv(it.paths.private / "answers.csv")
        guess = np.where(rng.random(len(truth)) < 0.6, truth["predicted"], rng.integers(-5, 2000, len(truth)))
        cells = [str(one) + (" 17 803 x" if seed and rng.random() < 0.5 else "") for one in guess]
        table = pd.DataFrame({"id": truth["id"], "predicted": cells}).sample(frac=1, random_state=seed)
        score = it.score(table, tmp_path)
        read = pd.read_csv(tmp_path / "submission.csv").sort_values("id")
        if not pd.api.types.is_integer_dtype(read["predicted"]):
            read["predicted"] = [int(cell.split(" ")[0]) for cell in read["predicted"]]
        wanted = 1 - accuracy_score(truth.sort_values("id")["predicted"], read["predicted"])
        assert score == pytest.approx(wanted, abs=1e-12)
        assert 0 < score < 1

    @pytest.mark.parametrize("cell", ["", "NA", "5.0", "5,6", "cat 5", "1e3", "True", "."])
    def test_cells_without_a_whole_number_first_are_invalid(self, made, tmp_path: Path, cell: str) -> None:
        it = made(INATURALIST)
        table = pd.read_csv(it.paths.private / "answers.csv", dtype=str)
        table.loc[3, "predicted"] = cell
        with pytest.raises(InvalidSubmissionError):
            it.score(table, tmp_path)


@pytest.mark.parametrize("fault", ["another image", "one image more"])
def test_lists_that_are_not_aligned_are_data_errors(fault: str) -> None:
    metadata = {"annotations": [{"image_id": 1, "category_id": 5}], "images": [{"id": 1}]}
    if fault == "another image":
        metadata["images"] = [{"id": 2}]
    else:
        metadata["images"].append({"id": 2})
    with pytest.raises(DataError):
        pairs_by_category(metadata)


def content_of(archive: Path, mode: str) -> dict[str, bytes]:
    """The members of a tar, in order."""
    with tarfile.open(archive, mode) as opened:  # type: ignore[call-overload]
        return {member.name: opened.extractfile(member).read() for member in opened if member.isfile()}
