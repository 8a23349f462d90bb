"""Examples split within every 1,000 lines: 10 % of each to the test set (seed 0), in drawn order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from mlebench.data.raw_files import open_raw
from mlebench.data.splits import split_items
from mlebench.data.tables import write_csv
from mlebench.formats.json_lines import encode_members, parse_lines

LINES_AT_ONCE = 1000
PUBLIC_TEST = ("example_id", "question_text", "document_text", "long_answer_candidates")


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    gold: list[tuple[str, str]] = []
    with (
        open_raw(raw / "simplified-nq-train.jsonl") as source,
        (public / "simplified-nq-train.jsonl").open("wb") as train,
        (public / "simplified-nq-test.jsonl").open("wb") as hidden,
        (private / "test.jsonl").open("wb") as answers,
    ):
        for examples in _pieces(source):
            kept, tested = split_items(examples, 0.1)
            for example in kept:
                train.write(encode_members(example))
            for example in tested:
                answers.write(encode_members(example))
                hidden.write(encode_members({name: example[name] for name in PUBLIC_TEST}))
                gold += _gold(example)
    table = pd.DataFrame(gold, columns=["example_id", "PredictionString"])
    write_csv(table, private / "gold_submission.csv")
    write_csv(table.assign(PredictionString=""), public / "sample_submission.csv")


def _pieces(source: Any) -> Iterator[list[dict[str, Any]]]:
    while lines := list(islice(source, LINES_AT_ONCE)):
        yield [{**example, "example_id": str(example["example_id"])} for example in parse_lines(lines)]


def _gold(example: dict[str, Any]) -> list[tuple[str, str]]:
    """A perfect pair of rows."""
    annotation = example["annotations"][0]
    short = annotation["yes_no_answer"]
    if short == "NONE":
        short = "".join(f"{s['start_token']}:{s['end_token']}" for s in annotation["short_answers"][:1])
    span = annotation["long_answer"]
    long = f"{span['start_token']}:{span['end_token']}" if span["start_token"] != -1 else ""
    return [(f"{example['example_id']}_short", short), (f"{example['example_id']}_long", long)]
