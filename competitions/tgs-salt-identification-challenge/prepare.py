"""Tiles of the nested archive, 25 % to the test set (seed 0), every table sorted by id; test masks stay out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from mlebench.data.archives import open_member, open_zip, read_members
from mlebench.data.splits import split_frame
from mlebench.data.tables import read_csv, write_csv
from mlebench.errors import DataError


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    archive = raw / "competition_data.zip"
    with open_member(archive, "competition_data/train.csv") as file:
        table = read_csv(file).fillna("")
    _expect_one_image_each(archive, len(table))
    train, test = (part.sort_values("id") for part in split_frame(table, 0.25))
    write_csv(train, public / "train.csv")
    write_csv(test, private / "test.csv")
    write_csv(test.assign(rle_mask="1 1"), public / "sample_submission.csv")
    depths = read_csv(raw / "depths.csv")
    write_csv(depths[depths["id"].isin(train["id"])].sort_values("id"), public / "depths.csv")
    _extract(archive, "train/images", train["id"], public / "train" / "images")
    _extract(archive, "train/masks", train["id"], public / "train" / "masks")
    _extract(archive, "train/images", test["id"], public / "test" / "images")


def _expect_one_image_each(archive: Path, rows: int) -> None:
    with open_zip(archive) as opened:
        names = opened.namelist()
    images = sum(name.startswith("competition_data/train/images/") and name.endswith(".png") for name in names)
    if images != rows:
        raise DataError(f"{archive} holds {images:,} images but its table {rows:,} rows; fetch it again.")


def _extract(archive: Path, folder: str, ids: Iterable[str], target: Path) -> None:
    target.mkdir(parents=True)
    names = (f"competition_data/{folder}/{tile}.png" for tile in ids)
    for name, content in read_members(archive, names, last_time=True):
        (target / PurePosixPath(name).name).write_bytes(content)
