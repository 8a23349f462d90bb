"""A member of a zip is read at any place, as what was packed."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlebench.data import nested
from mlebench.data.archives import write_zip


class TestPlaces:
    """A member at any place."""

    def member(self, folder: Path, content: bytes) -> nested.Content:
        write_zip(folder / "a.zip", [("before", b"x" * 99), ("it", content)])
        file = (folder / "a.zip").open("rb")
        with zipfile.ZipFile(folder / "a.zip") as opened:
            info, end = opened.getinfo("it"), opened.start_dir
        return nested.member_content(lambda size, at: os.pread(file.fileno(), size, at), info, end, folder)

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.tuples(st.integers(0, 400_000), st.integers(0, 90_000)), max_size=40), st.integers(0, 3))
    def test_equal_what_was_packed(
        self, tmp_path_factory: pytest.TempPathFactory, reads: list[tuple[int, int]], kind: int
    ) -> None:
        rng = np.random.default_rng(kind)
        content = bytes(300_000) if kind == 0 else rng.integers(0, (2, 30, 256)[kind - 1], 300_000, np.uint8).tobytes()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(nested, "_LEAST_APART", 30_000)
            member = nested.open_content(self.member(tmp_path_factory.mktemp("places"), content))
            for place, size in reads:
                member.seek(place)
                assert member.read(size) == content[place : place + size]
            assert member.seek(-10, io.SEEK_END) == 299_990 and member.read() == content[-10:]
            assert member.seek(5) == 5 and member.seek(5, io.SEEK_CUR) == 10 and member.tell() == 10

    def test_going_back_starts_from_a_mark_not_from_the_start(self, tmp_path: Path, monkeypatch) -> None:
        content = os.urandom(3_000_000)
        monkeypatch.setattr(nested, "_LEAST_APART", 200_000)
        member = self.member(tmp_path, content)
        assert member.read_at(3_000_000, 0) == content
        fetched = []
        parent = member._parent
        member._parent = lambda size, place: fetched.append(size) or parent(size, place)
        assert member.read_at(10, 2_500_000) == content[2_500_000:2_500_010]
        assert 0 < sum(fetched) < 800_000

    def test_check_sums_are_compared_on_the_way(self, tmp_path: Path) -> None:
        member = self.member(tmp_path, os.urandom(500_000))
        member._sum ^= 1  # type: ignore[attr-defined]
        assert len(member.read_at(10, 400_000)) == 10
        with pytest.raises(zipfile.BadZipFile, match="check sum"):
            member.read_at(500_000, 0)
