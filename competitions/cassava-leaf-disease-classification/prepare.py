"""A tenth of the TFRecord shards (seed 0) is the test set, with all rows and pictures of the images in them."""

from __future__ import annotations

from pathlib import Path

from mlebench.data.files import link, link_named
from mlebench.data.raw_files import list_raw
from mlebench.data.splits import split_items
from mlebench.data.tables import read_csv, write_csv
from mlebench.recipes.shards import image_names, publish_shards

CLASSES = "label_num_to_disease_map.json"


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    train_shards, test_shards = split_items(list_raw(raw / "train_tfrecords", "*.tfrec"), 0.1)
    labels = read_csv(raw / "train.csv")
    in_test = labels["image_id"].isin(image_names(test_shards))
    train, test = labels[~in_test], labels[in_test]
    write_csv(train, public / "train.csv")
    write_csv(test, private / "test.csv")
    write_csv(test.assign(label=4), public / "sample_submission.csv")
    link(raw / CLASSES, public / CLASSES)
    publish_shards(train_shards, public / "train_tfrecords", "ld_train")
    publish_shards(test_shards, public / "test_tfrecords", "ld_test")
    link_named(raw / "train_images", public / "train_images", train["image_id"])
    link_named(raw / "train_images", public / "test_images", test["image_id"])
