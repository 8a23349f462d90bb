"""Parquet in parts gives the file that one piece gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlebench.data import tables
from mlebench.errors import DataError


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({"batch": np.arange(1000) // 7, "event": rng.permutation(1000), "angle": rng.random(1000)})


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("size", [1, 33, 100, 999, 1000, 5000])
@pytest.mark.parametrize("group", [100, 333, 1000, 2000])
def test_parts_make_the_same_file(
    frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, group: int
) -> None:
    monkeypatch.setattr(tables, "ROW_GROUP", group)
    frame.to_parquet(tmp_path / "whole", engine="fastparquet", index=False, row_group_offsets=group)
    parts = (frame.iloc[start : start + size] for start in range(0, len(frame), size))
    tables.write_parquet_parts(parts, tmp_path / "parts", len(frame))
    assert (tmp_path / "parts").read_bytes() == (tmp_path / "whole").read_bytes()
    read = pd.concat(tables.read_parquet_groups(tmp_path / "parts"), ignore_index=True)
    pd.testing.assert_frame_equal(read, frame)
    only = tables.read_parquet(tmp_path / "parts", columns=["event"])
    assert only["event"].tolist() == frame["event"].tolist()


def test_a_missing_table_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="missing"):
        tables.read_parquet(tmp_path / "nothing.parquet")


def test_a_table_without_rows_is_told(tmp_path: Path) -> None:
    tables.write_parquet(pd.DataFrame({"a": np.zeros(0)}), tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_bytes((tmp_path / "a.parquet").read_bytes())
    with pytest.raises(DataError, match=r"b\.parquet holds no rows"):
        tables.read_parquet(tmp_path / "b.parquet")


@pytest.mark.parametrize("kind", ["half", "a byte less", "empty", "other start", "other end"])
def test_a_damaged_table_is_told_by_its_name(frame: pd.DataFrame, tmp_path: Path, kind: str, capsys) -> None:
    tables.write_parquet(frame, path := tmp_path / "rows.parquet")
    whole = path.read_bytes()
    damaged = {
        "half": whole[: len(whole) // 2],
        "a byte less": whole[:-1],
        "empty": b"",
        "other start": b"\xff" * 64 + whole[64:],
        "other end": whole[:-8] + b"\xff\xff\xff\x7f" + whole[-4:],
    }
    path.write_bytes(damaged[kind])
    with pytest.raises(DataError, match=r"^rows\.parquet is no readable parquet table") as told:
        tables.read_parquet(path)
    assert "\n" not in str(told.value) and not any(capsys.readouterr())


def test_damage_in_the_description_of_a_table_prints_nothing(frame: pd.DataFrame, tmp_path: Path, capsys) -> None:
    tables.write_parquet(frame, path := tmp_path / "rows.parquet")
    whole = path.read_bytes()
    description = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    path.write_bytes(whole[:description] + b"\x1d" + whole[description + 1 :])  # a type that does not exist
    with pytest.raises(DataError, match="no readable parquet table"):
        tables.read_parquet(path)
    assert not any(capsys.readouterr())
