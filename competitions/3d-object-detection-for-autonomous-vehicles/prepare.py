"""Whole scenes go to train or test (20 % of the logs, seed 0); every table and every sensor file follows its sample."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from mlebench.data.files import link, link_all
from mlebench.data.raw_files import read_raw
from mlebench.data.splits import split_items
from mlebench.data.tables import read_csv, write_csv
from mlebench.errors import DataError

Record = dict[str, Any]
SIDES = ("train", "test")
SHARED_TABLES = ("attribute", "category", "sensor", "visibility")
SENSOR_FOLDERS = {"jpeg": "images", "bin": "lidar"}
MAP = "map_raster_palo_alto.png"
TOKENS_PER_BOX = 8


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    tables = _Tables(raw / "train_data", public)
    logs = tables.read("log")
    split = dict(zip(SIDES, split_items([log["token"] for log in logs], 0.2), strict=True))
    side_of_log = {token: side for side, tokens in split.items() for token in tokens}
    tables.write_sides("log", logs, lambda log: side_of_log.get(log["token"]))
    samples = tables.read("sample")
    side_of_sample = {sample["token"]: side_of_log.get(sample["scene_token"]) for sample in samples}
    tables.write_sides("sample", samples, lambda sample: side_of_sample[sample["token"]])
    tables.write_sides("scene", tables.read("scene"), lambda scene: side_of_log.get(scene["log_token"]))
    files = tables.read("sample_data")
    parts = tables.write_sides("sample_data", files, lambda file: side_of_sample.get(file["sample_token"]))
    _write_sensor_poses(tables, parts)
    _write_map(tables, split["test"])
    _write_annotations(tables, {token for token, side in side_of_sample.items() if side == "train"})
    for side in SIDES:
        for name in SHARED_TABLES:
            link(raw / "train_data" / f"{name}.json", public / f"{side}_data" / f"{name}.json")
        link(raw / "train_maps" / MAP, public / f"{side}_maps" / MAP)
        link_all(_sensor_files(raw, public, side, parts[side]))
    _write_boxes(raw, public, private, side_of_sample)


class _Tables:
    """The JSON tables of the raw training side, and where the two sides of each are written."""

    def __init__(self, folder: Path, public: Path) -> None:
        self.folder = folder
        self.public = public
        for side in SIDES:
            (public / f"{side}_data").mkdir()

    def read(self, name: str) -> list[Record]:
        return json.loads(read_raw(self.folder / f"{name}.json"))

    def write(self, side: str, name: str, records: list[Record]) -> None:
        (self.public / f"{side}_data" / f"{name}.json").write_text(json.dumps(records))

    def write_sides(self, name: str, records: list[Record], side_of: Any) -> dict[str, list[Record]]:
        """Part the records, in their order, by the side that `side_of` names; every record must have one."""
        parts: dict[str, list[Record]] = {side: [] for side in SIDES}
        for record in records:
            side = side_of(record)
            if side is None:
                raise DataError(
                    f"A record of {name}.json ({record.get('token')}) belongs to no log; fetch the raw data again."
                )
            parts[side].append(record)
        for side, own in parts.items():
            self.write(side, name, own)
        return parts


def _write_sensor_poses(tables: _Tables, parts: dict[str, list[Record]]) -> None:
    """Calibrations once each, in the order in which they are met; poses for every file, in the order of files."""
    calibrations = {record["token"]: record for record in tables.read("calibrated_sensor")}
    poses = {record["token"]: record for record in tables.read("ego_pose")}
    for known, key in ((calibrations, "calibrated_sensor_token"), (poses, "ego_pose_token")):
        used = {file[key] for files in parts.values() for file in files}
        if used != known.keys():
            raise DataError(f"The tables of sensor files do not fit together ({key}); fetch the raw data again.")
    for side, files in parts.items():
        met = dict.fromkeys(file["calibrated_sensor_token"] for file in files)
        tables.write(side, "calibrated_sensor", [calibrations[token] for token in met])
        tables.write(side, "ego_pose", [poses[file["ego_pose_token"]] for file in files])


def _write_map(tables: _Tables, test_logs: list[str]) -> None:
    """The map's record names the test logs on both sides, as published (see the issues)."""
    (record,) = tables.read("map")
    record["log_tokens"] = test_logs
    for side in SIDES:
        tables.write(side, "map", [record])


def _write_annotations(tables: _Tables, train_samples: set[str]) -> None:
    """Annotations and the objects they follow, for the training side only."""
    annotations = tables.read("sample_annotation")
    train = [record for record in annotations if record["sample_token"] in train_samples]
    instances = tables.read("instance")
    if {record["token"] for record in instances} != {record["instance_token"] for record in annotations}:
        raise DataError("instance.json and sample_annotation.json do not fit together; fetch the raw data again.")
    seen = {record["instance_token"] for record in train}
    tables.write("train", "sample_annotation", train)
    tables.write("train", "instance", [record for record in instances if record["token"] in seen])


def _sensor_files(raw: Path, public: Path, side: str, files: Iterable[Record]) -> Iterator[tuple[Path, Path]]:
    done = set()
    for file in files:
        kind = SENSOR_FOLDERS.get(file["fileformat"])
        if kind is None:
            raise DataError(f"sample_data.json names a file of the unknown format {file['fileformat']!r}.")
        name = PurePosixPath(file["filename"]).name
        if (kind, name) not in done:
            done.add((kind, name))
            yield raw / f"train_{kind}" / name, public / f"{side}_{kind}" / name


def _write_boxes(raw: Path, public: Path, private: Path, side_of_sample: dict[str, str | None]) -> None:
    table = read_csv(raw / "train.csv")
    side = table["Id"].map(side_of_sample)
    test = table[side == "test"]
    write_csv(table[side == "train"], public / "train.csv")
    write_csv(test.assign(PredictionString=test["PredictionString"].map(_with_confidence)), private / "test.csv")
    write_csv(test[["Id"]].assign(PredictionString=""), public / "sample_submission.csv")


def _with_confidence(cell: str) -> str:
    tokens = cell.split(" ")
    if len(tokens) % TOKENS_PER_BOX:
        raise DataError("train.csv holds a box that has not 8 values; fetch the raw data again.")
    starts = range(0, len(tokens), TOKENS_PER_BOX)
    return " ".join(" ".join(["1.0", *tokens[start : start + TOKENS_PER_BOX]]) for start in starts)
