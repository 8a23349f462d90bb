"""Families of notebooks (one common ancestor) go to one side: in shuffled order, as long as the test quota lasts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.data.files import link_all
from mlebench.data.tables import read_csv, write_csv

QUOTA, NOTEBOOKS = 20_000, 139_256
"""Test notebooks out of all notebooks, on real data; the share holds for any number of them."""


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    ancestors = read_csv(raw / "train_ancestors.csv").sample(frac=1, random_state=0).reset_index(drop=True)
    in_test = _in_test(ancestors["ancestor_id"], len(ancestors) * QUOTA // NOTEBOOKS)
    hidden = ancestors.loc[in_test, "id"]
    for part, ids in (("train", ancestors.loc[~in_test, "id"]), ("test", hidden)):
        link_all((raw / "train" / f"{name}.json", public / part / f"{name}.json") for name in sorted(ids))

    orders = read_csv(raw / "train_orders.csv")
    answers = orders[orders["id"].isin(hidden)]
    write_csv(orders[~orders["id"].isin(hidden)], public / "train_orders.csv")
    write_csv(answers, private / "test_orders.csv")
    write_csv(ancestors[~in_test], public / "train_ancestors.csv")
    as_listed = [_listed_cells(public / "test" / f"{name}.json") for name in answers["id"]]
    write_csv(answers[["id"]].assign(cell_order=as_listed), public / "sample_submission.csv")


def _in_test(families: pd.Series, quota: int) -> np.ndarray:
    """Whole families, in order of first appearance: each goes to the test set unless the quota would be exceeded."""
    codes, _ = pd.factorize(families)
    chosen, taken = [], 0
    for size in np.bincount(codes).tolist():
        chosen.append(taken + size <= quota)
        taken += size if chosen[-1] else 0
    return np.array(chosen)[codes]


def _listed_cells(notebook: Path) -> str:
    """Cell ids in the order of the file: code in its true order, then the shuffled markdown."""
    return " ".join(json.loads(notebook.read_bytes())["cell_type"])
