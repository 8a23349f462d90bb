"""Requests that are granted more often when they name a hardship and when their author's account is old."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from mlebench.synthetic.text import sentence

TOUCHING = ["unemployed", "paycheck", "children", "rent", "hospital"]
DULL = ["craving", "party", "bored", "hungover", "just because"]
SUBREDDITS = ["AskReddit", "funny", "gaming", "pics", "Random_Acts_Of_Pizza", "todayilearned"]
TEST_FIELDS = (
    "giver_username_if_known", "request_id", "request_text_edit_aware", "request_title",
    "requester_account_age_in_days_at_request", "requester_days_since_first_post_on_raop_at_request",
    "requester_number_of_comments_at_request", "requester_number_of_comments_in_raop_at_request",
    "requester_number_of_posts_at_request", "requester_number_of_posts_on_raop_at_request",
    "requester_number_of_subreddits_at_request", "requester_subreddits_at_request",
    "requester_upvotes_minus_downvotes_at_request", "requester_upvotes_plus_downvotes_at_request",
    "requester_username", "unix_timestamp_of_request", "unix_timestamp_of_request_utc",
)  # fmt: skip
"""The fields of Kaggle's test.json."""


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    train, test = max(40, int(200 * scale)), max(16, int(80 * scale))
    codes = rng.choice(36**3, train + test, replace=False) if train + test <= 36**3 else np.arange(train + test)
    records = [_record(rng, int(code) + 36**4) for code in codes]
    _write(raw / "train.json", records[:train])
    _write(raw / "test.json", [{name: record[name] for name in TEST_FIELDS} for record in records[train:]])
    lines = [f"{record['request_id']},0\n" for record in records[train:]]
    (raw / "sampleSubmission.csv").write_text("request_id,requester_received_pizza\n" + "".join(lines))


def _write(path: Path, records: list[dict[str, Any]]) -> None:
    path.write_text(json.dumps(records, indent=2))


def _record(rng: np.random.Generator, code: int) -> dict[str, Any]:
    touching, age = bool(rng.random() < 0.4), float(round(rng.exponential(250), 6))
    granted = bool(rng.random() < 1 / (1 + np.exp(1.8 - 2.2 * touching - 0.003 * (age - 250))))
    text = sentence(rng, TOUCHING if touching else DULL, words=30, share=0.15) + ' - "thank you", café\nor not.'
    posted = float(rng.integers(1_291_800_000, 1_380_000_000))
    days = float(round(rng.uniform(30, 900), 6))
    comments, posts, raop_comments, raop_posts = (int(v) for v in rng.poisson([60, 15, 1, 0.3]))
    balance, votes = (int(v) for v in rng.poisson([300, 900]))
    subreddits = sorted({str(name) for name in rng.choice(SUBREDDITS, rng.integers(0, 5))})
    first_post = float(round(rng.uniform(0, 40), 6)) if raop_posts else 0.0
    later = int(rng.poisson(40))
    return {
        "giver_username_if_known": f"giver_{rng.integers(1000)}" if granted and rng.random() < 0.3 else "N/A",
        "number_of_downvotes_of_request_at_retrieval": int(rng.poisson(2)),
        "number_of_upvotes_of_request_at_retrieval": int(rng.poisson(5 + 5 * granted)),
        "post_was_edited": bool(rng.random() < 0.2),
        "request_id": "t3_" + _base36(code),
        "request_number_of_comments_at_retrieval": int(rng.poisson(2 + 4 * granted)),
        "request_text": text + (" EDIT: somebody helped, thanks!" if granted else ""),
        "request_text_edit_aware": text,
        "request_title": "[Request] " + sentence(rng, words=6),
        "requester_account_age_in_days_at_request": age,
        "requester_account_age_in_days_at_retrieval": age + days,
        "requester_days_since_first_post_on_raop_at_request": first_post,
        "requester_days_since_first_post_on_raop_at_retrieval": first_post + days,
        "requester_number_of_comments_at_request": comments,
        "requester_number_of_comments_at_retrieval": comments + later,
        "requester_number_of_comments_in_raop_at_request": raop_comments,
        "requester_number_of_comments_in_raop_at_retrieval": raop_comments + 2 * granted,
        "requester_number_of_posts_at_request": posts,
        "requester_number_of_posts_at_retrieval": posts + later // 4,
        "requester_number_of_posts_on_raop_at_request": raop_posts,
        "requester_number_of_posts_on_raop_at_retrieval": raop_posts + 1 + granted,
        "requester_number_of_subreddits_at_request": len(subreddits),
        "requester_received_pizza": granted,
        "requester_subreddits_at_request": subreddits,
        "requester_upvotes_minus_downvotes_at_request": balance,
        "requester_upvotes_minus_downvotes_at_retrieval": balance + later,
        "requester_upvotes_plus_downvotes_at_request": balance + votes,
        "requester_upvotes_plus_downvotes_at_retrieval": balance + votes + 3 * later,
        "requester_user_flair": "shroom" if granted else None,
        "requester_username": f"user_{code}",
        "unix_timestamp_of_request": posted,
        "unix_timestamp_of_request_utc": posted - 3600.0,
    }


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits
