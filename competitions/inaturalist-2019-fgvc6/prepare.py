"""Of every category 12 % of the train images (seed 0) to the test set; the archive is read once and not unpacked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from mlebench.data.archives import read_tar, write_tar
from mlebench.data.files import link
from mlebench.data.raw_files import is_raw_file, list_raw, read_raw
from mlebench.errors import DataError
from mlebench.recipes.labelled_images import pairs_by_category, split_within, with_pairs, write_answers, write_json

TEST_SIZE = 0.12
TRAIN_FOLDER, TEST_FOLDER = "train_val2019", "test2019"
GUESS = 654
COLUMNS = ("id", "predicted")


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    metadata = json.loads(read_raw(raw / "train2019.json"))
    train, test = split_within(pairs_by_category(metadata), TEST_SIZE)
    write_json(with_pairs(metadata, train), public / "train2019.json")
    link(raw / "val2019.json", public / "val2019.json")
    hidden = [{**image, "file_name": f"{TEST_FOLDER}/{_last(image['file_name'])}"} for _, image in test]
    about = {key: metadata[key] for key in ("info", "licenses")}
    write_json({**about, "images": hidden}, public / "test2019.json")
    ids = [image["id"] for _, image in test]
    write_answers(test, ids, public, private, sample="kaggle_sample_submission.csv", guess=GUESS, columns=COLUMNS)
    _pack(
        raw,
        public,
        {image["file_name"] for group in train for _, image in group},
        {image["file_name"] for _, image in test},
    )


def _pack(raw: Path, public: Path, train: set[str], test: set[str]) -> None:
    """Write both archives. Test images wait in a folder, so that their order in the archive says nothing."""
    waiting = public / TEST_FOLDER
    waiting.mkdir()
    missing = train | test

    def train_members() -> Iterator[tuple[str, bytes]]:
        for name, content in _raw_images(raw):
            missing.discard(name)
            if name in train:
                yield name.removeprefix(f"{TRAIN_FOLDER}/"), content
            elif name in test:
                (waiting / _last(name)).write_bytes(content)

    write_tar(public / f"{TRAIN_FOLDER}.tar.gz", train_members())
    if missing:
        raise DataError(
            f"The raw archive lacks {len(missing):,} listed images, such as {min(missing)}; fetch it again."
        )
    write_tar(public / f"{TEST_FOLDER}.tar.gz", _taken_from(waiting))
    waiting.rmdir()


def _taken_from(folder: Path) -> Iterator[tuple[str, Path]]:
    """Each file of a folder, which goes once it is written, so that images are not on the disk twice."""
    for path in sorted(folder.iterdir()):
        yield path.name, path
        path.unlink()


def _raw_images(raw: Path) -> Iterator[tuple[str, bytes]]:
    """All labelled images with their names as the lists have them: unpacked ones if there are any."""
    unpacked = list_raw(raw / TRAIN_FOLDER, "**/*.jpg")
    if not unpacked and is_raw_file(archive := raw / f"{TRAIN_FOLDER}.tar.gz"):
        return read_tar(archive)
    return ((path.relative_to(raw).as_posix(), read_raw(path)) for path in unpacked)


def _last(name: str) -> str:
    return PurePosixPath(name).name
