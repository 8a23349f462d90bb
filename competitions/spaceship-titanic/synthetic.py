"""Passengers whose fate depends mostly on cryosleep and on what they spent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

SPENDING = ("RoomService", "FoodCourt", "ShoppingMall", "Spa", "VRDeck")


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n = max(30, int(600 * scale))
    group = np.cumsum(rng.random(n) < 0.7) + 1
    member = pd.Series(group).groupby(group).cumcount() + 1
    asleep = rng.random(n) < 0.35
    spent = {name: np.where(asleep, 0.0, np.round(rng.exponential(250, n))) for name in SPENDING}
    odds = np.where(asleep, 1.6, -0.4) - 0.004 * (spent["RoomService"] + spent["Spa"] + spent["VRDeck"] - 500)
    transported = rng.random(n) < 1 / (1 + np.exp(-odds))
    frame = pd.DataFrame(
        {
            "PassengerId": [f"{g:04d}_{m:02d}" for g, m in zip(group, member, strict=True)],
            "HomePlanet": rng.choice(["Earth", "Europa", "Mars"], n),
            "CryoSleep": asleep,
            "Cabin": [f"{d}/{i}/{s}" for d, i, s in zip(rng.choice(list("ABFG"), n), group, rng.choice(list("PS"), n), strict=True)],
            "Destination": rng.choice(["TRAPPIST-1e", "55 Cancri e", "PSO J318.5-22"], n),
            "Age": rng.integers(0, 80, n).astype(float),
            "VIP": rng.random(n) < 0.03,
            **spent,
            "Name": [f"Passenger{i} Family{g}" for i, g in enumerate(group)],
            "Transported": transported,
        }
    )  # fmt: skip
    for name in ("HomePlanet", "CryoSleep", "Cabin", "Destination", "Age", "VIP", "FoodCourt", "Name"):
        frame[name] = frame[name].astype(object).where(rng.random(n) > 0.02)
    frame.to_csv(raw / "train.csv", index=False)
    test = frame.drop(columns="Transported").head(10)
    test.to_csv(raw / "test.csv", index=False)
    test[["PassengerId"]].assign(Transported=False).to_csv(raw / "sample_submission.csv", index=False)
