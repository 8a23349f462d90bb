"""Transactions split by day: from seven days before the last one on they are hidden. Read in pieces, twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from mlebench.data.files import link, link_tree
from mlebench.data.tables import read_csv, write_csv

ROWS_AT_ONCE = 1_000_000
UNCHANGED = ("articles.csv", "customers.csv", "sample_submission.csv")


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    days = {day for piece in _pieces(raw, usecols=["t_dat"]) for day in piece["t_dat"].unique()}
    start = max(map(pd.Timestamp, days)) - pd.Timedelta(days=7)
    hidden_days = [day for day in days if pd.Timestamp(day) >= start]
    hidden = []
    with (public / "transactions_train.csv").open("w", encoding="utf-8", newline="") as out:
        for number, piece in enumerate(_pieces(raw)):
            later = piece["t_dat"].isin(hidden_days)
            piece[~later].to_csv(out, index=False, header=number == 0)
            hidden.append(piece.loc[later, ["customer_id", "article_id"]])
    bought = pd.concat(hidden).assign(article_id=lambda rows: rows["article_id"].astype(str))
    lists = bought.groupby("customer_id")["article_id"].agg(" ".join)
    write_csv(lists.rename("prediction").reset_index(), private / "answers.csv")
    for name in UNCHANGED:
        link(raw / name, public / name)
    link_tree(raw / "images", public / "images")


def _pieces(raw: Path, **options: list[str]) -> Iterator[pd.DataFrame]:
    yield from read_csv(raw / "transactions_train.csv", chunksize=ROWS_AT_ONCE, **options)
