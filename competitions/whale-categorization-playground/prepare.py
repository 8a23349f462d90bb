"""Each whale with several pictures is on both sides; of the other pictures a tenth goes to the test set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.data.files import link_named
from mlebench.data.splits import train_test_positions
from mlebench.data.tables import read_csv, write_csv

SAMPLE = "new_whale w_1287fbc w_98baff9 w_7554f44 w_1eafe46"
TEST_SHARE = 0.1


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    whales = read_csv(raw / "train.csv")
    in_test = drawn(whales["Id"])
    train, test = whales[~in_test], whales[in_test]
    test = test.assign(Id=test["Id"].where(test["Id"].isin(train["Id"]), "new_whale"))
    write_csv(train, public / "train.csv")
    write_csv(test, private / "test.csv")
    write_csv(test.assign(Id=SAMPLE), public / "sample_submission.csv")
    link_named(raw / "train", public / "train", train["Image"])
    link_named(raw / "train", public / "test", test["Image"])


def drawn(ids: pd.Series) -> np.ndarray:
    """Which pictures are drawn for the test set; bool (pictures,).

    Whale by whale in order of appearance: of several pictures one goes to either side (the same draw for all whales
    with as many), a single one to the test set with the probability TEST_SHARE.
    """
    side = np.full(len(ids), "", dtype=object)
    rng = np.random.default_rng(0)
    for _, own in ids.groupby(ids, sort=False):
        if len(own) == 1:
            side[own.index] = rng.choice(["train", "test"], replace=False, p=[1 - TEST_SHARE, TEST_SHARE])
        else:
            side[own.index[np.random.RandomState(0).choice(len(own), size=2, replace=False)]] = ["train", "test"]
    undecided = np.flatnonzero(side == "")
    side[undecided[train_test_positions(len(undecided), TEST_SHARE)[1]]] = "test"
    return side == "test"
