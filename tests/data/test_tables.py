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
