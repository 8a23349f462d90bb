"""Competitions that give their images as TFRecord shards too, named <prefix><number>-<count of records>.tfrec."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlebench.data.files import link
from mlebench.data.raw_files import open_raw
from mlebench.formats.tfrecord import decode_example, read_records


def image_names(shards: Sequence[Path]) -> set[str]:
    """The names of all images in these shards: their records' feature image_name."""
    examples = (decode_example(record) for shard in shards for record in read_records(open_raw(shard)))
    return {str(example["image_name"][0], "utf-8") for example in examples}  # type: ignore[arg-type]


def publish_shards(shards: Sequence[Path], folder: Path, prefix: str) -> None:
    """Link the shards into `folder`, renumbered from 00 in the order given; the count in their names stays."""
    for number, shard in enumerate(shards):
        link(shard, folder / f"{prefix}{number:02d}-{shard.stem.split('-')[1]}.tfrec")
