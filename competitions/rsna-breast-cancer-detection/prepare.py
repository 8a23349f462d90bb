"""A tenth of the patients (seed 42) to the test set; answers are per breast, not per image."""

from __future__ import annotations

from pathlib import Path

from mlebench.data.files import link_all
from mlebench.data.splits import split_items
from mlebench.data.tables import read_csv, write_csv

SEED = 42
SHOWN = ["site_id", "patient_id", "image_id", "laterality", "view", "age", "implant", "machine_id"]


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    table = read_csv(raw / "train.csv")
    _, patients = split_items(table["patient_id"].unique().tolist(), 0.1, SEED)
    in_test = table["patient_id"].isin(patients)
    train, test = table[~in_test], table[in_test]
    test = test.assign(prediction_id=test["patient_id"].astype(str) + "_" + test["laterality"])
    write_csv(train, public / "train.csv")
    write_csv(test[[*SHOWN, "prediction_id"]], public / "test.csv")
    answers = test.groupby("prediction_id")["cancer"].first().reset_index()
    write_csv(answers, private / "answers.csv")
    write_csv(answers.assign(cancer=train["cancer"].mean()), public / "sample_submission.csv")
    for name, part in (("train", train), ("test", test)):
        files = [f"{patient}/{image}.dcm" for patient, image in zip(part["patient_id"], part["image_id"], strict=True)]
        link_all((raw / "train_images" / file, public / f"{name}_images" / file) for file in files)
