"""Places are split, not images: about 22 % of the images, by a rule that moves whole places, to the test set."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.data.files import link, link_all
from mlebench.data.raw_files import read_raw
from mlebench.data.splits import split_items
from mlebench.data.tables import write_csv

TEST_SHARE = 0.22
CATEGORIES = 676
TRAIN_FILE = "iwildcam2020_train_annotations.json"
TEST_FILE = "iwildcam2020_test_information.json"
DETECTIONS_FILE = "iwildcam2020_megadetector_results.json"


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    metadata = json.loads(read_raw(raw / TRAIN_FILE))
    images, annotations = metadata["images"], metadata["annotations"]
    places = test_places([image["location"] for image in images])
    test_ids = {image["id"] for image in images if image["location"] in places}

    shown = {
        "annotations": [annotation for annotation in annotations if annotation["image_id"] not in test_ids],
        "images": [image for image in images if image["id"] not in test_ids],
        "categories": metadata["categories"],
        "info": metadata["info"],
    }
    (public / TRAIN_FILE).write_text(json.dumps(shown))
    about = json.loads(read_raw(raw / TEST_FILE))
    hidden = [image for image in images if image["id"] in test_ids]
    information = {"images": hidden, "categories": about["categories"], "info": about["info"]}
    (public / TEST_FILE).write_text(json.dumps(information))
    link(raw / DETECTIONS_FILE, public / DETECTIONS_FILE)

    truth = [annotation for annotation in annotations if annotation["image_id"] in test_ids]
    answers = pd.DataFrame(
        {"Id": [one["image_id"] for one in truth], "Category": [one["category_id"] for one in truth]}
    )
    write_csv(answers, private / "answers.csv")
    guesses = np.random.RandomState(0).randint(0, CATEGORIES, size=len(answers))
    write_csv(answers.assign(Category=guesses), public / "sample_submission.csv")
    for part, listed in (("train", shown["images"]), ("test", hidden)):
        names = {f"{image['id']}.jpg": None for image in listed}
        link_all((raw / "train" / name, public / part / name) for name in names)


def test_places(locations: Sequence[int]) -> set[int]:
    """Places of the test set, given the place of each image.

    22 % of the places are drawn (seed 0). The last place of the one side then goes over to the other, again and
    again, until the share of test images falls from above to at most 22 % of all images with the test ones counted
    twice, as the published recipe counts them.
    """
    sizes = Counter(locations)
    train, test = split_items(list(sizes), TEST_SHARE)
    images = len(locations)
    held_out = sum(sizes[place] for place in test)
    while held_out / (images + held_out) < TEST_SHARE:
        test.append(train.pop())
        held_out += sizes[test[-1]]
    while held_out / (images + held_out) > TEST_SHARE:
        train.append(test.pop())
        held_out -= sizes[train[-1]]
    return set(test)
