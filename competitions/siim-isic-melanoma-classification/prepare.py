"""The images of two fixed TFRecord shards are the test set; rows stay in the order of train.csv."""

from __future__ import annotations

from pathlib import Path

from mlebench.data.files import link_named
from mlebench.data.raw_files import list_raw
from mlebench.data.tables import read_csv, write_csv
from mlebench.errors import DataError
from mlebench.recipes.shards import image_names, publish_shards

TEST_SHARDS = ("train00", "train06")
METADATA = ["image_name", "patient_id", "sex", "age_approx", "anatom_site_general_challenge"]


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    shards = list_raw(raw / "tfrecords", "train*.tfrec")
    test_shards = [shard for shard in shards if shard.name.startswith(TEST_SHARDS)]
    if len(test_shards) != len(TEST_SHARDS):
        raise DataError(f"{raw / 'tfrecords'} lacks the shards {' and '.join(TEST_SHARDS)}; fetch the raw data again.")
    lesions = read_csv(raw / "train.csv")
    in_test = lesions["image_name"].isin(image_names(test_shards))
    train, test = lesions[~in_test], lesions[in_test]
    write_csv(train, public / "train.csv")
    write_csv(test[METADATA], public / "test.csv")
    write_csv(test[["image_name", "target"]], private / "test.csv")
    write_csv(test[["image_name"]].assign(target=0), public / "sample_submission.csv")
    publish_shards([shard for shard in shards if shard not in test_shards], public / "tfrecords", "train")
    publish_shards(test_shards, public / "tfrecords", "test")
    for part, rows in (("train", train), ("test", test)):
        link_named(raw / "train", public / part, rows["image_name"] + ".dcm")
        link_named(raw / "jpeg" / "train", public / "jpeg" / part, rows["image_name"] + ".jpg")
