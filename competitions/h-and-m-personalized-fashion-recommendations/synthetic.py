"""Customers who buy the same few articles again and again, over five weeks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.synthetic.images import encode, noise
from mlebench.synthetic.text import hex_ids

DAYS = 35
FAVOURITES = 3


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n = max(60, int(400 * scale))
    customers = np.array(sorted(hex_ids(rng, n, 64)), dtype=object)
    articles = np.sort(rng.choice(np.arange(108_775, 959_461), 40 + n // 20, replace=False))
    article_ids = np.array([f"0{code}{colour:03d}" for code in articles.tolist() for colour in (1, 2)], dtype=object)
    favourite = rng.integers(0, len(article_ids), (n, FAVOURITES))
    rows = n * 12
    who = rng.integers(0, n, rows)
    what = np.where(
        rng.random(rows) < 0.9,
        favourite[who, rng.integers(0, FAVOURITES, rows)],
        rng.integers(0, len(article_ids), rows),
    )
    day = rng.integers(0, DAYS, rows)
    day = np.where(who == 1, DAYS - 1 - day % 4, np.where(who == 2, day % 20, day))  # one new, one lost customer
    who[:2], day[:2] = n - 1, DAYS - 1  # the last customer of the sample submission is scored
    order = np.argsort(day, kind="stable")
    price = np.round(rng.gamma(2.0, 0.015, len(article_ids)), 18)
    dates = np.array(pd.date_range("2020-08-19", periods=DAYS).strftime("%Y-%m-%d"), dtype=object)
    transactions = pd.DataFrame(
        {
            "t_dat": dates[day],
            "customer_id": customers[who],
            "article_id": article_ids[what],
            "price": price[what],
            "sales_channel_id": rng.integers(1, 3, rows),
        }
    ).iloc[order]
    twice = np.where(rng.random(rows) < 0.02, 2, 1)  # several pieces are several equal rows
    transactions.iloc[np.repeat(np.arange(rows), twice)].to_csv(raw / "transactions_train.csv", index=False)
    _catalogue(raw, rng, article_ids)
    pd.DataFrame(
        {
            "customer_id": customers,
            "FN": np.where(rng.random(n) < 0.4, 1.0, np.nan),
            "Active": np.where(rng.random(n) < 0.3, 1.0, np.nan),
            "club_member_status": rng.choice(["ACTIVE", "PRE-CREATE"], n),
            "fashion_news_frequency": rng.choice(["NONE", "Regularly"], n),
            "age": rng.integers(16, 80, n).astype(float),
            "postal_code": hex_ids(rng, n, 64),
        }
    ).to_csv(raw / "customers.csv", index=False)
    popular = " ".join(article_ids[:12])
    pd.DataFrame({"customer_id": customers, "prediction": popular}).to_csv(raw / "sample_submission.csv", index=False)


def _catalogue(raw: Path, rng: np.random.Generator, article_ids: np.ndarray) -> None:
    kinds = np.array(["Trousers", "Sweater", "Vest top", "Dress"], dtype=object)[rng.integers(0, 4, len(article_ids))]
    pd.DataFrame(
        {
            "article_id": article_ids,
            "product_code": [name[:7] for name in article_ids],
            "prod_name": [f"{kind} no. {i // 2}" for i, kind in enumerate(kinds)],
            "product_type_name": kinds,
            "colour_group_name": np.where(np.arange(len(article_ids)) % 2, "White", "Black"),
            "detail_desc": [f"{kind} in soft jersey, with a hem." for kind in kinds],
        }
    ).to_csv(raw / "articles.csv", index=False)
    for name in article_ids[:20]:
        folder = raw / "images" / name[:3]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.jpg").write_bytes(encode(noise(rng, 24, 16), "JPEG"))
