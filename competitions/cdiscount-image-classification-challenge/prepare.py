"""Products of train.bson, 10 % to the test set (seed 0), without their category; files keep the raw order."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd

from mlebench.data.files import link
from mlebench.data.raw_files import open_raw
from mlebench.data.splits import train_test_positions
from mlebench.data.tables import write_csv
from mlebench.errors import DataError
from mlebench.formats.bson import Element, elements, read_documents, read_integer, without

EXAMPLES = 100
SAMPLE_CATEGORY = 1000010653
FIELDS = ["_id", "category_id"]


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    products = _read_products(raw / "train.bson")
    _, test = train_test_positions(len(products), 0.1)
    answers = products.iloc[test].sort_values("_id")
    write_csv(answers, private / "answers.csv")
    write_csv(answers.assign(category_id=SAMPLE_CATEGORY), public / "sample_submission.csv")
    in_test = np.zeros(len(products), dtype=bool)
    in_test[test] = True
    with (
        open_raw(raw / "train.bson") as source,
        (public / "train.bson").open("xb", 1 << 20) as train,
        (public / "test.bson").open("xb", 1 << 20) as hidden,
    ):
        _divide(source, in_test, train, hidden)
    with (public / "train.bson").open("rb") as train, (public / "train_example.bson").open("xb") as example:
        example.writelines(islice(read_documents(train), EXAMPLES))
    link(raw / "category_names.csv", public / "category_names.csv")


def _read_products(path: Path) -> pd.DataFrame:
    """Number and category of each product, in file order."""
    numbers, categories = array("q"), array("q")
    with open_raw(path) as source:
        for document, found in _documents(source):
            numbers.append(read_integer(document, found["_id"]))
            categories.append(read_integer(document, found["category_id"]))
    return pd.DataFrame({"_id": np.array(numbers), "category_id": np.array(categories)})


def _divide(source: IO[bytes], in_test: np.ndarray, train: IO[bytes], test: IO[bytes]) -> None:
    for (document, found), hide in zip(_documents(source), in_test.tolist(), strict=True):
        if hide:
            test.write(without(document, found["category_id"]))
        else:
            train.write(document)


def _documents(source: IO[bytes]) -> Iterator[tuple[bytes, dict[str, Element]]]:
    """Each document with the places of its number and its category."""
    for document in read_documents(source):
        found = dict(islice(elements(document), 2))
        if found.keys() != set(FIELDS):
            found = {name: element for name, element in elements(document) if name in FIELDS}
            if len(found) < len(FIELDS):
                raise DataError("A product of train.bson lacks its _id or its category_id; fetch the raw data again.")
        yield document, found
