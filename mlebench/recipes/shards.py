"""Competitions that give their images as TFRecord shards too, named <prefix><number>-<count of records>.tfrec."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from mlebench.data.files import link
from mlebench.formats.tfrecord import decode_example, encode_example, read_records, write_records


def image_names(shards: Sequence[Path]) -> set[str]:
    """The names of all images in these shards: their records' feature image_name."""
    examples = (decode_example(record) for shard in shards for record in read_records(shard))
    return {str(example["image_name"][0], "utf-8") for example in examples}  # type: ignore[arg-type]


def publish_shards(shards: Sequence[Path], folder: Path, prefix: str, *, only: Collection[str] | None = None) -> None:
    """Put the shards into `folder`, renumbered from 00 in the order given; the count in their names stays.

    With `only`, records are rewritten and keep just these features: those of the labelled data hold the label.
    """
    for number, shard in enumerate(shards):
        target = folder / f"{prefix}{number:02d}-{shard.stem.split('-')[1]}.tfrec"
        if only is None:
            link(shard, target)
            continue
        examples = (decode_example(record) for record in read_records(shard))
        kept = ({name: values for name, values in example.items() if name in only} for example in examples)
        write_records(target, map(encode_example, kept))
