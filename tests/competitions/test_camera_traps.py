"""iWildCam 2019 and 2020: recipes and graders against the plain procedures."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import train_test_split

CALIFORNIA, WORLD = "iwildcam-2019-fgvc6", "iwildcam-2020-fgvc7"


@pytest.mark.parametrize("name", [CALIFORNIA, WORLD])
@pytest.mark.parametrize("seed", range(3))
def test_random_submissions_score_as_the_plain_procedure_does(made, tmp_path: Path, name: str, seed: int) -> None:
    it, rng = made(name), np.random.default_rng(seed)
    truth = pd.read_csv(it.paths.private / "answers.csv")
    guess = np.where(rng.random(len(truth)) < 0.5, truth["Category"], rng.integers(-1, 24, len(truth)))
    table = pd.DataFrame({"remark": "x", "Category": guess, "Id": truth["Id"]}).sample(frac=1, random_state=seed)
    if name == CALIFORNIA and seed == 2:
        table["Category"] += 0.7  # cut off again, towards zero
    ordered, truth = table.sort_values("Id"), truth.sort_values("Id")
    if name == CALIFORNIA:
        wanted = f1_score(truth["Category"], [int(one) for one in ordered["Category"]], average="macro")
    else:
        wanted = accuracy_score(truth["Category"], ordered["Category"])
    assert it.score(table, tmp_path) == pytest.approx(wanted, abs=1e-12)


class TestCalifornia:
    def test_the_recipe(self, made) -> None:
        it = made(CALIFORNIA)
        public, private = it.paths.public, it.paths.private
        raw = pd.read_csv(it.paths.raw / "train.csv")
        _, places = train_test_split(raw["location"].unique(), test_size=0.1, random_state=8)
        train, test = raw[~raw["location"].isin(places)], raw[raw["location"].isin(places)]
        assert (public / "train.csv").read_text() == train.to_csv(index=False)
        assert (public / "test.csv").read_text() == test.drop(columns="category_id").to_csv(index=False)
        assert (private / "test.csv").read_text() == test.to_csv(index=False)
        answers = pd.DataFrame({"Id": test["id"], "Category": test["category_id"]})
        assert (private / "answers.csv").read_text() == answers.to_csv(index=False)
        answers["Category"] = 0
        assert (public / "sample_submission.csv").read_text() == answers.to_csv(index=True)
        with zipfile.ZipFile(it.paths.raw / "train_images.zip") as source:
            for name, part in (("train", train), ("test", test)):
                with zipfile.ZipFile(public / f"{name}_images.zip") as opened:
                    assert opened.namelist() == sorted(part["file_name"])
                    assert all(opened.read(image) == source.read(image) for image in part["file_name"])
        assert set(train["category_id"]) == set(test["category_id"])


class TestWorld:
    def test_the_recipe(self, made) -> None:
        it = made(WORLD)
        raw, public = it.paths.raw, it.paths.public
        metadata = json.loads((raw / "iwildcam2020_train_annotations.json").read_text())
        about = json.loads((raw / "iwildcam2020_test_information.json").read_text())
        images, annotations = pd.DataFrame(metadata["images"]), pd.DataFrame(metadata["annotations"])
        places = plain_places(images)
        held_out = images["location"].isin(places)
        shown = {
            "annotations": annotations[~annotations["image_id"].isin(images["id"][held_out])].to_dict("records"),
            "images": images[~held_out].to_dict("records"),
            "categories": pd.DataFrame(metadata["categories"]).to_dict("records"),
            "info": metadata["info"],
        }
        hidden = {
            "images": images[held_out].to_dict("records"), "categories": about["categories"], "info": about["info"],
        }  # fmt: skip
        assert (public / "iwildcam2020_train_annotations.json").read_text() == json.dumps(shown)
        assert (public / "iwildcam2020_test_information.json").read_text() == json.dumps(hidden)
        detections = "iwildcam2020_megadetector_results.json"
        assert (public / detections).read_bytes() == (raw / detections).read_bytes()

        truth = annotations[annotations["image_id"].isin(images["id"][held_out])]
        answers = pd.DataFrame({"Id": truth["image_id"], "Category": truth["category_id"]})
        assert (it.paths.private / "answers.csv").read_text() == answers.to_csv(index=False)
        np.random.seed(0)
        answers["Category"] = np.random.randint(0, 676, size=len(answers))
        assert (public / "sample_submission.csv").read_text() == answers.to_csv(index=False)
        for name, part in (("train", images[~held_out]), ("test", images[held_out])):
            assert sorted(path.stem for path in (public / name).iterdir()) == sorted(part["id"])
            assert all((public / name / f).read_bytes() == (raw / "train" / f).read_bytes() for f in part["file_name"])
        assert {one["category_id"] for one in shown["annotations"]} == set(truth["category_id"])

    @pytest.mark.parametrize("seed", range(8))
    def test_places_as_the_plain_procedure_draws_them(self, made, seed: int) -> None:
        # Sizes of places differ by far, so that both loops move some.
        rng = np.random.default_rng(seed)
        locations = rng.permutation(np.repeat(np.arange(30), rng.integers(1, 200, 30)))
        ours = made(WORLD).competition._function("prepare.py", "test_places")(locations.tolist())
        assert ours == set(plain_places(pd.DataFrame({"location": locations})))


def plain_places(images: pd.DataFrame) -> list[int]:
    """Places of the test set, step by step."""
    train, test = train_test_split(images["location"].unique(), test_size=0.22, random_state=0)
    train, test = list(train), list(test)

    def share() -> float:
        count = int(images["location"].isin(test).sum())
        return count / (len(images) + count)

    while share() < 0.22:
        test.append(train.pop())
    while share() > 0.22:
        train.append(test.pop())
    return test
