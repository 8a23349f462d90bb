"""Plays, 10 % to the test set (seed 0); all tables keep their order and are filtered by play."""

from __future__ import annotations

from pathlib import Path

from mlebench.data.files import link_all
from mlebench.data.splits import mark_test_groups
from mlebench.data.tables import read_csv, write_csv

TABLES = ("baseline_helmets", "player_tracking", "video_metadata")
VIEWS = ("All29", "Endzone", "Sideline")


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    # The ground is the player "G" among numbers: read as text, the column is written as it was.
    labels = read_csv(raw / "train_labels.csv", dtype={"nfl_player_id_2": str})
    is_test = mark_test_groups(labels["game_play"], 0.1)
    train, test = labels[~is_test], labels[is_test]
    plays = {"train": set(train["game_play"]), "test": set(test["game_play"])}
    write_csv(train, public / "train_labels.csv")
    write_csv(test, private / "test.csv")
    write_csv(test[["contact_id"]].assign(contact=0), public / "sample_submission.csv")
    del labels, train, test  # millions of rows each
    for name in TABLES:
        table = read_csv(raw / f"train_{name}.csv")
        for part, own in plays.items():
            write_csv(table[table["game_play"].isin(own)], public / f"{part}_{name}.csv")
    for part, own in plays.items():
        files = (f"{play}_{view}.mp4" for play in sorted(own) for view in VIEWS)
        link_all((raw / "train" / file, public / part / file) for file in files)
