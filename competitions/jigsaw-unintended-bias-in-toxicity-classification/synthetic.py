"""Comments in which rude words make toxicity and a word of its own stands for each identity."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.synthetic.text import sentences

SUBTYPES = ["severe_toxicity", "obscene", "identity_attack", "insult", "threat", "sexual_explicit"]
IDENTITIES = [
    "asian", "atheist", "bisexual", "black", "buddhist", "christian", "female", "heterosexual", "hindu",
    "homosexual_gay_or_lesbian", "intellectual_or_learning_disability", "jewish", "latino", "male", "muslim",
    "other_disability", "other_gender", "other_race_or_ethnicity", "other_religion", "other_sexual_orientation",
    "physical_disability", "psychiatric_or_mental_illness", "transgender", "white",
]  # fmt: skip
OFTEN = [
    "male", "female", "homosexual_gay_or_lesbian", "christian", "jewish", "muslim", "black", "white",
    "psychiatric_or_mental_illness",
]  # fmt: skip
RUDE = ["stupid", "idiotic", "rubbish", "pathetic"]
FIRST_TEST_ID = 7_000_000


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n, tests = max(400, int(1000 * scale)), max(400, int(600 * scale))
    train = _comments(rng, n).assign(id=np.arange(n) + 59_848)
    train.to_csv(raw / "train.csv", index=False)
    names = [name if name != "target" else "toxicity" for name in train.columns if name not in ("id", "comment_text")]
    test = _comments(rng, tests).assign(id=np.arange(tests) + FIRST_TEST_ID).rename(columns={"target": "toxicity"})
    test = test[["id", "comment_text", *names]]
    test.to_csv(raw / "test_private_expanded.csv", index=False)
    test.head(20).assign(id=np.arange(20) + 2 * FIRST_TEST_ID).to_csv(raw / "test_public_expanded.csv", index=False)
    test[["id", "comment_text"]].to_csv(raw / "test.csv", index=False)
    test[["id"]].assign(prediction=0.0).to_csv(raw / "sample_submission.csv", index=False)


def _comments(rng: np.random.Generator, n: int) -> pd.DataFrame:
    toxic = rng.random(n) < 0.3
    target = np.round(np.where(toxic, rng.uniform(0.5, 1.0, n), rng.uniform(0.0, 0.49, n)), 6)
    text = pd.Series(sentences(rng, n, words=16), dtype=object)
    rude = pd.Series(np.array(RUDE, dtype=object)[rng.integers(0, len(RUDE), n)])
    shown = toxic != (rng.random(n) < 0.05)
    text = text.where(~shown, text + ", " + rude + "!")
    rated = rng.random(n) < 0.8  # nobody asked about identities in the others
    columns: dict[str, np.ndarray | pd.Series] = {"id": np.zeros(n, int), "target": target}
    shares = {}
    for name in IDENTITIES:
        mentions = rated & (rng.random(n) < (0.15 if name in OFTEN else 0.02))
        text = text.where(~mentions, text + f" {name.replace('_', ' ')}")
        shares[name] = np.where(rated, mentions * 1.0, np.nan)
    columns["comment_text"] = text
    columns |= {name: np.where(toxic, np.round(rng.random(n), 6), 0.0) for name in SUBTYPES}
    columns |= shares
    columns |= {
        "created_date": np.full(n, "2016-05-01 12:00:00.000000+00"),
        "publication_id": rng.integers(1, 60, n),
        "parent_id": np.where(rng.random(n) < 0.5, np.nan, rng.integers(1, 10**6, n)),
        "article_id": rng.integers(2000, 400_000, n),
        "rating": np.where(toxic, "rejected", "approved"),
    }
    columns |= {name: rng.poisson(0.5, n) for name in ("funny", "wow", "sad", "likes", "disagree")}
    columns |= {"identity_annotator_count": np.where(rated, 4, 0), "toxicity_annotator_count": rng.integers(4, 11, n)}
    return pd.DataFrame(columns)
