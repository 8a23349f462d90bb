"""A tenth of the studies to the train set (!), drawn so that boxes, segmentations and both have their tenth."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mlebench.data.files import link_all, link_tree
from mlebench.data.raw_files import list_raw
from mlebench.data.tables import read_csv, write_csv

TRAIN_SHARE = 0.1
STUDY = "StudyInstanceUID"


class TrainStudies(NamedTuple):
    """The train studies, by why they were drawn."""

    both: list[str]
    """Boxes and a segmentation."""
    segmented: list[str]
    boxed: list[str]
    others: list[str]
    """Drawn from all that are left; boxes and segmentations of these are not published."""


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    table, boxes = read_csv(raw / "train.csv"), read_csv(raw / "train_bounding_boxes.csv")
    segmented = sorted(path.stem for path in list_raw(raw / "segmentations", "*.nii"))
    drawn = draw_train(table[STUDY].tolist(), sorted(boxes[STUDY].unique()), segmented)
    in_train = table[STUDY].isin({study for group in drawn for study in group})
    write_csv(table[in_train], public / "train.csv")
    write_csv(boxes[boxes[STUDY].isin([*drawn.both, *drawn.boxed])], public / "train_bounding_boxes.csv")

    test = table[~in_train]
    answers = test.melt(id_vars=STUDY, var_name="prediction_type", value_name="fractured")
    answers["row_id"] = answers[STUDY] + "_" + answers["prediction_type"]
    write_csv(answers, private / "answers.csv")
    write_csv(answers.assign(fractured=0.5)[["row_id", "fractured"]], public / "sample_submission.csv")
    write_csv(answers[[STUDY, "prediction_type", "row_id"]], public / "test.csv")

    (public / "segmentations").mkdir()
    names = [f"segmentations/{study}.nii" for study in (*drawn.both, *drawn.segmented)]
    link_all((raw / name, public / name) for name in names)
    for part, studies in (("train_images", table.loc[in_train, STUDY]), ("test_images", test[STUDY])):
        for study in studies:
            link_tree(raw / "train_images" / study, public / part / study)


def draw_train(studies: Sequence[str], boxed: Sequence[str], segmented: Sequence[str]) -> TrainStudies:
    """A tenth of the studies with boxes and a segmentation, of those with either, and of all, from one generator."""
    rng = random.Random(0)
    with_boxes, with_segmentation = set(boxed), set(segmented)
    both = [study for study in boxed if study in with_segmentation]
    only_segmented = [study for study in segmented if study not in with_boxes]
    only_boxed = [study for study in boxed if study not in with_segmentation]
    drawn_both = rng.sample(both, _tenth(both))
    drawn_segmented = rng.sample(only_segmented, _tenth(segmented) - len(drawn_both))
    drawn_boxed = rng.sample(only_boxed, _tenth(boxed) - len(drawn_both))
    taken = {*drawn_both, *drawn_segmented, *drawn_boxed}
    others = rng.sample([study for study in studies if study not in taken], _tenth(studies) - len(taken))
    return TrainStudies(drawn_both, drawn_segmented, drawn_boxed, others)


def _tenth(studies: Sequence[str]) -> int:
    return round(TRAIN_SHARE * len(studies))
