"""Recipes of competitions on signals, sounds and molecules against the published ones, step by step."""

from __future__ import annotations

import io
import random
import re
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.io
from sklearn.model_selection import train_test_split

from mlebench.data.sevenzip import extract_7z
from mlebench.data.tables import read_parquet
from mlebench.errors import DataError

TAGS = "freesound-audio-tagging-2019"


@pytest.fixture
def folders(made) -> Callable[[str], tuple[Path, Path, Path]]:
    def get(name: str) -> tuple[Path, Path, Path]:
        paths = made(name).paths
        return paths.raw, paths.public, paths.private

    return get


def text(frame: pd.DataFrame, **options: object) -> str:
    return frame.to_csv(index=False, **options)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_molecules(folders) -> None:
    raw, public, private = folders("champs-scalar-coupling")
    groups = list(pd.read_csv(raw / "train.csv").groupby("molecule_name"))
    train, test = (
        pd.concat([own for _, own in part]) for part in train_test_split(groups, test_size=0.1, random_state=0)
    )
    assert (public / "train.csv").read_text() == text(train)
    assert (private / "answers.csv").read_text() == text(test)
    shown = test.drop(columns="scalar_coupling_constant")
    assert (public / "test.csv").read_text() == text(shown)
    assert (public / "sample_submission.csv").read_text() == text(shown[["id"]].assign(scalar_coupling_constant=0))
    for name in ("structures", "dipole_moments", "magnetic_shielding_tensors", "mulliken_charges", "potential_energy", "scalar_coupling_contributions"):  # fmt: skip
        table = pd.read_csv(raw / f"{name}.csv")
        kept = table[table["molecule_name"].isin(train["molecule_name"])]
        assert (public / f"{name}.csv").read_text() == text(kept)
        assert set(kept["molecule_name"]) == set(train["molecule_name"])
    assert names(public / "structures") == {f"{name}.xyz" for name in train["molecule_name"]}


def test_breaths(folders) -> None:
    raw, public, private = folders("ventilator-pressure-prediction")
    types = {"id": "int32", "breath_id": "int32", "R": "int8", "C": "int8", "u_out": "int8"}
    frame = pd.read_csv(raw / "train.csv", dtype=types)
    parts = train_test_split(
        [own.index.tolist() for _, own in frame.groupby("breath_id")], test_size=0.1, random_state=0
    )
    train, test = (frame.loc[np.concatenate(part)].assign(id=lambda part: range(1, len(part) + 1)) for part in parts)
    assert (public / "train.csv").read_text() == text(train, float_format="%.10g")
    assert (private / "test.csv").read_text() == text(test, float_format="%.10g")
    assert (public / "test.csv").read_text() == text(test.drop(columns="pressure"), float_format="%.10g")
    assert (public / "sample_submission.csv").read_text() == text(test[["id"]].assign(pressure=0))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_neutrinos(folders, tmp_path: Path) -> None:
    raw, public, private = folders("icecube-neutrinos-in-deep-ice")
    meta = read_parquet(raw / "train_meta.parquet")
    train_ids, test_ids = train_test_split(meta["batch_id"].unique(), test_size=0.1, random_state=0)
    train, test = (meta[meta["batch_id"].isin(ids)].reset_index(drop=True) for ids in (train_ids, test_ids))
    for name, part in {"train": train, "test": test.drop(columns=["azimuth", "zenith"])}.items():
        part.to_parquet(tmp_path / "one", index=False, engine="fastparquet")
        assert (public / f"{name}_meta.parquet").read_bytes() == (tmp_path / "one").read_bytes()
    answers = test[["event_id", "azimuth", "zenith"]]
    assert (private / "test.csv").read_text() == text(answers)
    assert (public / "sample_submission.csv").read_text() == text(answers.assign(azimuth=1, zenith=1))
    assert names(public / "train") == {f"batch_{i}.parquet" for i in train_ids}
    assert names(public / "test") == {f"batch_{i}.parquet" for i in test_ids}
    row = test.iloc[3]
    pulses = read_parquet(public / "test" / f"batch_{int(row['batch_id'])}.parquet")
    own = pulses.iloc[int(row["first_pulse_index"]) : int(row["last_pulse_index"]) + 1]
    assert set(own.index) == {row["event_id"]}


def test_eruptions(folders) -> None:
    raw, public, private = folders("predict-volcanic-eruptions-ingv-oe")
    train, test = train_test_split(pd.read_csv(raw / "train.csv"), test_size=0.1, random_state=0)
    assert (public / "train.csv").read_text() == text(train)
    assert (private / "test.csv").read_text() == text(test)
    assert (public / "sample_submission.csv").read_text() == text(test.assign(time_to_eruption=0))
    for name, part in {"train": train, "test": test}.items():
        assert names(public / name) == {f"{segment}.csv" for segment in part["segment_id"]}


def test_contacts(folders) -> None:
    raw, public, private = folders("nfl-player-contact-detection")
    labels = pd.read_csv(raw / "train_labels.csv")
    parts = dict(zip(("train", "test"), train_test_split(labels["game_play"].unique(), test_size=0.1, random_state=0), strict=True))  # fmt: skip
    test = labels[labels["game_play"].isin(parts["test"])]
    assert (public / "train_labels.csv").read_text() == text(labels[labels["game_play"].isin(parts["train"])])
    assert (private / "test.csv").read_text() == text(test)
    assert (public / "sample_submission.csv").read_text() == text(test[["contact_id"]].assign(contact=0))
    for part, plays in parts.items():
        for name in ("baseline_helmets", "player_tracking", "video_metadata"):
            table = pd.read_csv(raw / f"train_{name}.csv")
            assert (public / f"{part}_{name}.csv").read_text() == text(table[table["game_play"].isin(plays)])
        views = ("All29", "Endzone", "Sideline")
        assert names(public / part) == {f"{play}_{view}.mp4" for play in plays for view in views}


def test_phones(folders) -> None:
    raw, public, private = folders("smartphone-decimeter-2022")
    drives = sorted(names(raw / "train"))
    dates = sorted({drive[:10] for drive in drives})
    train, test = train_test_split(dates, test_size=0.1, random_state=0)
    assert names(public / "train") == {drive for drive in drives if drive[:10] in train}
    assert names(public / "test") == {drive for drive in drives if drive[:10] in test}
    shown = {path.relative_to(public / "test") for path in (public / "test").rglob("*") if path.is_file()}
    own = [path for drive in drives if drive[:10] in test for path in (raw / "train" / drive).rglob("*")]
    kept = {path.relative_to(raw / "train") for path in own if path.is_file() and path.name != "ground_truth.csv"}
    assert shown == kept
    tables = []
    for path in sorted(path for path in own if path.name == "ground_truth.csv"):
        table = pd.read_csv(path)[["UnixTimeMillis", "LatitudeDegrees", "LongitudeDegrees"]]
        table.insert(0, "tripId", f"{path.parent.parent.name}-{path.parent.name}")
        tables.append(table)
    wanted, answers = pd.concat(tables, ignore_index=True), pd.read_csv(private / "test.csv")
    # The last digit is that of older pandas; see tests/recipes/test_quick_floats.py.
    pd.testing.assert_frame_equal(answers, wanted, rtol=1e-15)
    sample = wanted.assign(LatitudeDegrees=37.904611315634504, LongitudeDegrees=-86.48107806249548)
    assert (public / "sample_submission.csv").read_text() == text(sample)


def test_brains(folders) -> None:
    raw, public, private = folders("hms-harmful-brain-activity-classification")
    votes = ["seizure_vote", "lpd_vote", "gpd_vote", "lrda_vote", "grda_vote", "other_vote"]
    labels = pd.read_csv(raw / "train.csv")
    assert labels.shape[1] == 15
    train_ids, test_ids = train_test_split(labels["spectrogram_id"].unique(), test_size=0.1, random_state=0)
    train, test = (labels[labels["spectrogram_id"].isin(ids)] for ids in (train_ids, test_ids))
    assert (public / "train.csv").read_text() == text(train)
    assert (private / "test.csv").read_text() == text(test)
    assert (public / "test.csv").read_text() == text(test[["spectrogram_id", "eeg_id", "patient_id"]])
    gold = test[["eeg_id", *votes]].copy()
    total = gold[votes].sum(axis=1)
    for vote in votes:
        gold[vote] = gold[vote] / total
    assert (private / "gold_submission.csv").read_text() == text(gold)
    assert (public / "sample_submission.csv").read_text() == text(gold.assign(**dict.fromkeys(votes, 1 / 6)))
    for part, rows in {"train": train, "test": test}.items():
        for kind in ("eeg", "spectrogram"):
            assert names(public / f"{part}_{kind}s") == {f"{i}.parquet" for i in rows[f"{kind}_id"]}
    assert names(public / "example_figures") == names(raw / "example_figures")


def test_rna(folders) -> None:
    raw, public, private = folders("stanford-covid-vaccine")
    targets = ["reactivity", "deg_Mg_pH10", "deg_pH10", "deg_Mg_50C", "deg_50C"]
    molecules = pd.read_json(raw / "train.json", lines=True)
    drawn = molecules[molecules["SN_filter"] > 0].sample(n=int(0.1 * len(molecules)), random_state=0)
    is_test = molecules["id"].isin(drawn["id"])
    train, test = (molecules[rows].copy() for rows in (~is_test, is_test))
    for part in (train, test):
        part["index"] = range(len(part))
    assert (public / "train.json").read_text() == train.to_json(orient="records", lines=True)
    shown = pd.read_json(raw / "test.json", lines=True).columns
    assert "reactivity" not in shown
    assert (public / "test.json").read_text() == test[shown].to_json(orient="records", lines=True)
    rows = []
    for molecule in test.to_dict("records"):
        for j in range(molecule["seq_length"]):
            scored = j < molecule["seq_scored"]
            values = [molecule[name][j] if scored else 0.0 for name in targets]
            rows.append([f"{molecule['id']}_{j}", *values, scored])
    answers = pd.DataFrame(rows, columns=["id_seqpos", *targets, "keep"])
    assert (private / "test.csv").read_text() == text(answers, float_format="%.10f")
    sample = answers.drop(columns="keep").assign(**dict.fromkeys(targets, 0.0))
    assert (public / "sample_submission.csv").read_text() == text(sample, float_format="%.10f")


def test_lungs(folders) -> None:
    raw, public, private = folders("osic-pulmonary-fibrosis-progression")
    groups = list(pd.read_csv(raw / "train.csv").groupby("Patient"))
    train, test = (
        pd.concat([own for _, own in part]) for part in train_test_split(groups, test_size=0.1, random_state=0)
    )
    assert (public / "train.csv").read_text() == text(train)
    first = [own.sort_values("Weeks").iloc[0] for _, own in test.groupby("Patient")]
    assert (public / "test.csv").read_text() == text(pd.DataFrame(first))
    visits = {(row.Patient, row.Weeks): row for row in test.itertuples(index=False)}
    rows = []
    for patient in test["Patient"].unique():
        for week in range(test["Weeks"].min(), test["Weeks"].max() + 1):
            known = list(visits[patient, week][2:]) if (patient, week) in visits else [None] * 5
            rows.append([patient, week, *known, f"{patient}_{week}", 100])
    answers = pd.DataFrame(rows, columns=[*train.columns, "Patient_Week", "Confidence"])
    assert (private / "test.csv").read_text() == text(answers)
    sample = answers[["Patient_Week"]].assign(FVC=2000, Confidence=100)
    assert (public / "sample_submission.csv").read_text() == text(sample)
    assert names(public / "train") == set(train["Patient"])
    assert names(public / "test") == set(test["Patient"])


class TestTags:
    def test_labels(self, folders) -> None:
        raw, public, private = folders(TAGS)
        with zipfile.ZipFile(raw / "FSDKaggle2019.meta.zip") as archive:
            meta = pd.read_csv(io.BytesIO(archive.read("FSDKaggle2019.meta/test_post_competition.csv")))
        classes = pd.read_csv(public / "sample_submission.csv").columns[1:].tolist()
        assert len(classes) == 80
        rows = [
            [row.fname, *(int(name in row.labels.split(",")) for name in classes)]
            for row in meta[meta["usage"] == "Private"].itertuples()
        ]
        assert 0 < len(rows) < len(meta)
        assert (private / "test.csv").read_text() == text(pd.DataFrame(rows, columns=["fname", *classes]))
        assert not any("meta" in path.name for path in public.rglob("*"))
        assert names(public / "test") == {row[0] for row in rows}

    def test_the_metadata_may_lie_unpacked_and_must_lie_somewhere(self, made, folders, tmp_path: Path) -> None:
        raw, _, private = folders(TAGS)
        source = tmp_path / "raw"
        source.mkdir()
        for path in raw.iterdir():
            (source / path.name).symlink_to(path)
        (source / "FSDKaggle2019.meta.zip").unlink()
        recipe = made(TAGS).competition.prepare
        with pytest.raises(DataError, match="3612637"):
            recipe(source, tmp_path / "a", tmp_path / "b")
        with zipfile.ZipFile(raw / "FSDKaggle2019.meta.zip") as archive:
            archive.extractall(source)
        recipe(source, tmp_path / "public", tmp_path / "private")
        assert (tmp_path / "private" / "test.csv").read_bytes() == (private / "test.csv").read_bytes()


def test_words(folders, tmp_path: Path) -> None:
    raw, public, private = folders("tensorflow-speech-recognition-challenge")
    extract_7z(raw / "train.7z", tmp_path)
    clips = sorted((f"{path.parent.name}_{path.name}", path) for path in (tmp_path / "train/audio").rglob("*.wav"))
    train, test = train_test_split([path for _, path in clips], test_size=0.1, random_state=0)
    lines = [f"clip_{i:08d}.wav,{path.parent.name}" for i, path in enumerate(test)]
    assert (private / "test.csv").read_text() == "\n".join(["fname,label", *lines, ""])
    sample = [f"clip_{i:08d}.wav,silence" for i in range(len(test))]
    assert (public / "sample_submission.csv").read_text() == "\n".join(["fname,label", *sample, ""])
    for i, path in enumerate(test):
        assert (public / "test/audio" / f"clip_{i:08d}.wav").read_bytes() == path.read_bytes()
    kept = {path.relative_to(public / "train/audio") for path in (public / "train").rglob("*") if path.is_file()}
    assert kept == {path.relative_to(tmp_path / "train/audio") for path in train}


def test_whales(folders) -> None:
    raw, public, private = folders("the-icml-2013-whale-challenge-right-whale-redux")
    with zipfile.ZipFile(raw / "train2.zip") as archive:
        clips = {Path(name).name: archive.read(name) for name in archive.namelist()}
    days = sorted({name.split("_")[0] for name in clips})
    train = sorted(name for name in clips if name.split("_")[0] in days[:2])
    test = sorted(name for name in clips if name.split("_")[0] in days[2:])
    shown = {"train2": {}, "test2": {}}
    for i, name in enumerate(train):
        shown["train2"][f"train2/{re.sub(r'TRAIN[0-9]+', f'TRAIN{i}', name)}"] = clips[name]
    lines = []
    for i, name in enumerate(test):
        new = f"{name.split('TRAIN')[0]}Test{i}.aif"
        shown["test2"][f"test2/{new}"] = clips[name]
        lines.append((new, int(name.endswith("_1.aif"))))
    for folder, wanted in shown.items():
        with zipfile.ZipFile(public / f"{folder}.zip") as archive:
            assert {name: archive.read(name) for name in archive.namelist()} == wanted
    answers = pd.DataFrame(lines, columns=["clip", "probability"])
    assert (private / "test.csv").read_text() == text(answers)
    assert (public / "sampleSubmission.csv").read_text() == text(answers.assign(probability=0))


class TestGestures:
    ID = "multi-modal-gesture-recognition"

    def test_files(self, folders) -> None:
        raw, public, private = folders(self.ID)
        with tarfile.open(raw / "training4.tar.gz") as archive:
            ids = sorted(Path(name).stem[-4:] for name in archive.getnames())
        labels = pd.read_csv(raw / "training.csv", dtype=str)
        assert (public / "training.csv").read_text() == text(labels[~labels["Id"].isin(ids)])
        assert (private / "test.csv").read_text() == text(labels[labels["Id"].isin(ids)])
        assert (public / "test.csv").read_text() == "\n".join(["Id", *ids, ""])
        assert (public / "test.tar.gz").read_bytes() == (raw / "training4.tar.gz").read_bytes()
        assert "training4.tar.gz" not in names(public)
        first = (public / "randomPredictions.csv").read_text().splitlines()[1]
        assert first == f"{ids[0]},13 14 2 9 16 7 20 5 8 6 10 4 3 12 18 1 15 17 19 11"
        random.seed(0)
        lines = [f"{name},{' '.join(map(str, random.sample(range(1, 21), 20)))}" for name in ids]
        assert (public / "randomPredictions.csv").read_text() == "\n".join(["Id,Sequence", *lines, ""])

    def test_made_up_recordings_tell_their_gestures(self, folders) -> None:
        raw, _, private = folders(self.ID)
        answers = pd.read_csv(private / "test.csv", dtype=str).set_index("Id")["Sequence"]
        with tarfile.open(raw / "training4.tar.gz") as archive:
            member = archive.getmembers()[0]
            recording = zipfile.ZipFile(io.BytesIO(archive.extractfile(member).read()))
        stem = Path(member.name).stem
        video = scipy.io.loadmat(io.BytesIO(recording.read(f"{stem}_data.mat")), simplify_cells=True)["Video"]
        assert len(video["Labels"]) == len(answers[stem[-4:]].split())
        heights = [frame["Skeleton"]["WorldPosition"][11][1] for frame in video["Frames"]]
        guess = np.rint(np.array(heights).reshape(-1, 6).mean(axis=1) * 20).astype(int)
        assert " ".join(map(str, guess)) == answers[stem[-4:]]
