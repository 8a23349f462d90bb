"""Plays of a few players who run about; players less than a yard apart touch, and slow ones have fallen."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.synthetic.images import colour_noise
from mlebench.synthetic.videos import encode_mp4

PLAYERS = 6
STEPS = 12
BEFORE = 5
"""Tracked steps before the snap."""
HEIGHT, WIDTH = 45, 80
GREEN = (60.0, 130.0, 60.0)
VIEWS = ("All29", "Endzone", "Sideline")


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n = max(20, min(240, int(30 * scale)))
    steps = int(np.clip(STEPS * scale, STEPS, 120))
    players = int(np.clip(PLAYERS * scale**0.5, PLAYERS, 22))
    games = 58_100 + np.arange(n) // 3
    plays = rng.choice(5000, n, replace=False) + 1
    tables: dict[str, list[pd.DataFrame]] = {"labels": [], "player_tracking": [], "baseline_helmets": [], "video_metadata": []}  # fmt: skip
    (raw / "train").mkdir()
    for game, play in zip(games.tolist(), plays.tolist(), strict=True):
        keys = {"game_play": f"{game}_{play:06d}", "game_key": game, "play_id": play}
        kickoff = pd.Timestamp("2021-09-12T18:00:00Z") + pd.Timedelta(seconds=60 * play)
        ids = np.sort(rng.choice(np.arange(30_000, 60_000), players, replace=False))
        places = rng.uniform((20, 10), (35, 20), (players, 2)) + np.cumsum(
            rng.normal(0, 0.5, (steps + BEFORE, players, 2)), axis=0
        )
        fallen = rng.random((steps + BEFORE, players)) < 0.06
        tables["player_tracking"].append(_tracking(rng, keys, kickoff, ids, places, fallen))
        tables["labels"].append(_labels(keys, kickoff, ids, places[BEFORE:], fallen[BEFORE:]))
        for view in VIEWS:
            where = np.rint((places - (10, 0)) * (WIDTH / 40, HEIGHT / 35)).astype(int)
            video = encode_mp4([_picture(rng, spots) for spots in where[:: max(1, steps // 4)]], 59.94)
            (raw / "train" / f"{keys['game_play']}_{view}.mp4").write_bytes(video)
            if view == "All29":
                continue
            tables["baseline_helmets"].append(_helmets(keys, view, ids, where))
            times = {name: _stamp(kickoff + pd.Timedelta(seconds=second)) for name, second in (("start_time", -5), ("end_time", steps / 10), ("snap_time", 0))}  # fmt: skip
            tables["video_metadata"].append(pd.DataFrame([{**keys, "view": view, **times}]))
    for name, parts in tables.items():
        pd.concat(parts).to_csv(raw / f"train_{name}.csv", index=False)
        if name != "labels":
            parts[0].to_csv(raw / f"test_{name}.csv", index=False)
    tables["labels"][0][["contact_id"]].assign(contact=0).to_csv(raw / "sample_submission.csv", index=False)


def _stamp(time: pd.Timestamp) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z"


def _labels(keys: dict, kickoff: pd.Timestamp, ids: np.ndarray, places: np.ndarray, fallen: np.ndarray) -> pd.DataFrame:
    steps = len(places)
    pairs = [(i, j) for i, j in combinations(range(len(ids)), 2)]
    first, second = np.array(pairs).T
    close = np.linalg.norm(places[:, first] - places[:, second], axis=2) < 1.0
    ones = [*ids[first].tolist(), *ids.tolist()]
    others = [*map(str, ids[second].tolist()), *["G"] * len(ids)]
    stamps = [_stamp(kickoff + pd.Timedelta(seconds=step / 10)) for step in range(steps)]
    return pd.DataFrame(
        [
            (f"{keys['game_play']}_{step}_{one}_{other}", keys["game_play"], stamps[step], step, one, other, int(touch))
            for step, touches in enumerate(np.hstack([close, fallen]).tolist())
            for one, other, touch in zip(ones, others, touches, strict=True)
        ],
        columns=["contact_id", "game_play", "datetime", "step", "nfl_player_id_1", "nfl_player_id_2", "contact"],
    )


def _tracking(
    rng: np.random.Generator, keys: dict, kickoff: pd.Timestamp, ids: np.ndarray, places: np.ndarray, fallen: np.ndarray
) -> pd.DataFrame:
    steps, n = fallen.shape
    moved = np.linalg.norm(np.diff(places, axis=0, prepend=places[:1]), axis=2)
    speed = np.where(fallen, 0.1, moved * 10 + 0.5)
    angle = rng.uniform(0, 360, (2, steps, n))
    flat = lambda values: np.asarray(values).ravel().round(2)  # noqa: E731
    step = np.arange(steps) - BEFORE
    return pd.DataFrame(
        {
            **keys,
            "nfl_player_id": np.tile(ids, steps),
            "datetime": np.repeat([_stamp(kickoff + pd.Timedelta(seconds=s / 10)) for s in step.tolist()], n),
            "step": step.repeat(n),
            "team": np.tile(np.where(np.arange(n) % 2, "home", "away"), steps),
            "position": np.tile(np.array(["WR", "CB", "QB", "T", "DE"])[np.arange(n) % 5], steps),
            "jersey_number": np.tile(np.arange(n) + 10, steps),
            "x_position": flat(places[..., 0]),
            "y_position": flat(places[..., 1]),
            "speed": flat(speed),
            "distance": flat(moved),
            "direction": flat(angle[0]),
            "orientation": flat(angle[1]),
            "acceleration": flat(np.abs(np.gradient(speed, axis=0))),
            "sa": flat(np.gradient(speed, axis=0)),
        }
    )


def _helmets(keys: dict, view: str, ids: np.ndarray, where: np.ndarray) -> pd.DataFrame:
    frames, n = where.shape[:2]
    labels = np.where(np.arange(n) % 2, "H", "V").astype(object) + (np.arange(n) + 10).astype(str)
    return pd.DataFrame(
        {
            **keys,
            "view": view,
            "video": f"{keys['game_play']}_{view}.mp4",
            "frame": (np.arange(frames) * 6 + 1).repeat(n),
            "nfl_player_id": np.tile(ids, frames),
            "player_label": np.tile(labels, frames),
            "left": where[..., 0].ravel() - 1,
            "width": 3,
            "top": where[..., 1].ravel() - 1,
            "height": 3,
        }
    )


def _picture(rng: np.random.Generator, spots: np.ndarray) -> np.ndarray:
    """A field with a bright square for each player."""
    pixels = colour_noise(rng, HEIGHT, WIDTH, GREEN, spread=8)
    for x, y in spots.clip(1, (WIDTH - 2, HEIGHT - 2)).tolist():
        pixels[y - 1 : y + 2, x - 1 : x + 2] = 240
    return pixels
