"""The labelled recordings (fold 0), renumbered from 0; a fifth of them, drawn with seed 0, becomes the test set."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from mlebench.data.archives import extract_zip, open_zip, read_members
from mlebench.data.tables import read_csv, write_csv

TOP = "mlsp_contest_dataset"
SPECIES = 19
ID_FACTOR = 100
"""Id of a (recording, species) pair: recording * ID_FACTOR + species."""
ONE_PER_RECORDING = (
    "essential_data/src_wavs/{}.wav",
    "supplemental_data/spectrograms/{}.bmp",
    "supplemental_data/filtered_spectrograms/{}.bmp",
    "supplemental_data/supervised_segmentation/{}.bmp",
)
SOME_RECORDINGS = "supplemental_data/segmentation_examples/{}.bmp"
UNCHANGED = (
    "essential_data/species_list.txt",
    "supplemental_data/segment_clusters.bmp",
    "supplemental_data/segment_mosaic.bmp",
)
SEGMENT_TABLES = ("histogram_of_segments", "segment_features", "segment_rectangles")
READ = (
    "essential_data/CVfolds_2.txt",
    "essential_data/rec_id2filename.txt",
    "essential_data/rec_labels_test_hidden.txt",
    *(f"supplemental_data/{name}.txt" for name in SEGMENT_TABLES),
)
SEGMENT_HEADER = "rec_id,[histogram of segment features]"
"""Published at the top of all three segment tables, although it speaks of one."""


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    archive = raw / f"{TOP}.zip"
    with open_zip(archive) as opened:
        present = set(opened.namelist())
    contents = read_members(archive, [f"{TOP}/{name}" for name in READ])
    texts = {name.removeprefix(f"{TOP}/"): _text(content) for name, content in contents}
    folds = read_csv(texts["essential_data/CVfolds_2.txt"])
    folds = folds[folds["fold"] == 0].reset_index(drop=True)
    folds.loc[folds.sample(frac=0.2, random_state=0).index, "fold"] = 1
    number = {old: new for new, old in enumerate(folds["rec_id"].tolist())}
    names = read_csv(texts["essential_data/rec_id2filename.txt"])
    names = names[names["rec_id"].isin(number)]
    labels = {number[old]: rest for old, rest in _rows(texts["essential_data/rec_labels_test_hidden.txt"], number)}
    tables = {name: list(_rows(texts[f"supplemental_data/{name}.txt"], number)) for name in SEGMENT_TABLES}

    needed = {f"{TOP}/{pattern.format(name)}" for pattern in ONE_PER_RECORDING for name in names["filename"]}
    needed |= {f"{TOP}/{name}" for name in UNCHANGED}
    examples = {f"{TOP}/{SOME_RECORDINGS.format(name)}" for name in names["filename"]}
    extract_zip(archive, public, members=needed | (examples & present))
    for folder in sorted((public / TOP).iterdir()):
        folder.rename(public / folder.name)
    (public / TOP).rmdir()

    essential = public / "essential_data"
    test = set(folds.index[folds["fold"] == 1])
    write_csv(folds.assign(rec_id=folds.index), essential / "CVfolds_2.txt")
    write_csv(names.assign(rec_id=names["rec_id"].map(number)), essential / "rec_id2filename.txt")
    shown = (
        f"{rec},?" if rec in test else f"{rec},{species}" if species else str(rec) for rec, species in labels.items()
    )
    _write_lines(essential / "rec_labels_test_hidden.txt", "rec_id,[labels]", shown)
    for name, rows in tables.items():
        lines = (f"{number[old]},{rest}" for old, rest in rows)
        _write_lines(public / "supplemental_data" / f"{name}.txt", SEGMENT_HEADER, lines)

    write_csv(_pairs([rec for rec in labels if rec in test], labels), private / "answers.csv")
    write_csv(_pairs(sorted(test), {}), public / "sample_submission.csv")


def _text(content: bytes) -> io.StringIO:
    # Universal line ends, as the files were made on another system.
    return io.StringIO(content.decode(), newline=None)


def _rows(text: io.StringIO, wanted: dict[int, int]) -> Iterator[tuple[int, str]]:
    """Recording and the rest of the line, of the wanted recordings, below the header."""
    for line in text.read().split("\n")[1:]:
        first, _, rest = line.partition(",")
        if first.strip() and int(first) in wanted:
            yield int(first), rest


def _write_lines(path: Path, header: str, lines: Iterator[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in (header, *lines)), encoding="utf-8", newline="")


def _pairs(recordings: list[int], labels: dict[int, str]) -> pd.DataFrame:
    """Every species of these recordings, 1 where it is among the recording's labels."""
    heard = {(rec, int(species)) for rec in recordings for species in labels.get(rec, "").split(",") if species}
    pairs = [(rec, species) for rec in recordings for species in range(SPECIES)]
    return pd.DataFrame(
        {
            "Id": [rec * ID_FACTOR + species for rec, species in pairs],
            "Probability": [int(pair in heard) for pair in pairs],
        }
    )
