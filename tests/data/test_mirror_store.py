"""Files in a store that behaves as S3 does: whole or absent, asked for again where it helps, every failure a sentence."""

from __future__ import annotations

import hashlib
from pathlib import Path

import fsspec
import pytest
from bucket_fs import Parcels

from mlebench.data.manifest import FileEntry
from mlebench.data.mirror import places
from mlebench.data.mirror.store import ObjectStore
from mlebench.errors import DataError, MlebenchError

PART = 1000


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Parcels:
    """The file system behind parcels://, with parts of 1,000 bytes and no waiting."""
    made = Parcels()
    monkeypatch.setattr(fsspec.core, "url_to_fs", lambda url: (made, url.partition("://")[2]))
    monkeypatch.setattr(places, "PART", PART)
    monkeypatch.setattr("mlebench.data.mirror.store._BLOCK", 300)
    monkeypatch.setattr("time.sleep", lambda _: None)
    return made


@pytest.fixture
def store(files: Parcels) -> ObjectStore:
    return ObjectStore("parcels://lab/mle")


def make(tmp_path: Path, count: int) -> tuple[Path, FileEntry, bytes]:
    content = bytes(number % 251 for number in range(count))
    path = tmp_path / "source"
    path.write_bytes(content)
    return path, FileEntry(size=count, sha256=hashlib.sha256(content).hexdigest()), content


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 2000, 3500])
def test_what_is_sent_comes_back(store: ObjectStore, files: Parcels, tmp_path: Path, count: int) -> None:
    source, entry, content = make(tmp_path, count)
    sent, received = [0], [0]
    store.upload(source, "a/file", entry, lambda step: sent.append(step))
    store.download("a/file", tmp_path / "back", entry, lambda step: received.append(step))
    assert (tmp_path / "back").read_bytes() == content == store.read("a/file", count)
    assert sum(sent) == sum(received) == count and files.under_way == 0
    assert (files.asked["part"] > 0) == (count > PART)
    assert store.sizes("a") == {"file": count} and store.folders() == ["a"] and store.has("a/file")


@pytest.mark.parametrize("count", [500, 3500])
@pytest.mark.parametrize("verb", ["put", "part", "get"])
def test_a_moments_failure_costs_one_request(
    store: ObjectStore, files: Parcels, tmp_path: Path, count: int, verb: str
) -> None:
    source, entry, content = make(tmp_path, count)
    left = [2]

    def fails(asked: str, path: str) -> None:
        if asked == verb and left[0]:
            left[0] -= 1
            raise ConnectionError("reset")

    files.fails = fails
    store.upload(source, "a/file", entry)
    store.download("a/file", tmp_path / "back", entry)
    assert (tmp_path / "back").read_bytes() == content and files.under_way == 0
    if verb == "get":
        assert files.asked["get"] == 2 + -(-count // PART)


@pytest.mark.parametrize("count", [500, 3500])
def test_what_changed_meanwhile_is_not_sent(store: ObjectStore, files: Parcels, tmp_path: Path, count: int) -> None:
    source, entry, content = make(tmp_path, count)
    source.write_bytes(content[:-1] + b"?")
    with pytest.raises(DataError, match="was changed since"):
        store.upload(source, "a/file", entry)
    assert files.content == {} and files.under_way == 0


def test_an_upload_that_is_broken_off_leaves_nothing(store: ObjectStore, files: Parcels, tmp_path: Path) -> None:
    source, entry, _ = make(tmp_path, 3500)

    def fails(asked: str, path: str) -> None:
        if files.asked["part"] == 3:
            raise KeyboardInterrupt

    files.fails = fails
    steps: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        store.upload(source, "a/file", entry, steps.append)
    files.fails = lambda verb, path: None
    assert files.content == {} and files.under_way == 0 and sum(steps) == 0


def test_failures_that_last_are_sentences(store: ObjectStore, files: Parcels, tmp_path: Path) -> None:
    def fails(asked: str, path: str) -> None:
        raise ConnectionError("Could not connect.")

    source, entry, _ = make(tmp_path, 10)
    files.fails = fails
    for act in (
        lambda: store.folders(),
        lambda: store.has("a"),
        lambda: store.sizes("a"),
        lambda: store.read("a", 10),
        lambda: store.write("a", b""),
        lambda: store.delete("a"),
        lambda: store.upload(source, "a", entry),
        lambda: store.download("a", tmp_path / "back", entry),
    ):
        files.asked.clear()
        with pytest.raises(DataError, match=r"parcels://lab/mle cannot be used \(Could not connect\)"):
            act()
        assert files.asked.total() in (3, 6)  # of a file that cannot be read its size is asked for too
    assert not (tmp_path / "back").exists()


@pytest.mark.parametrize("count", [10, 3500])
def test_a_bucket_that_is_not_there(files: Parcels, tmp_path: Path, count: int) -> None:
    store = ObjectStore("parcels://absent/mle")
    source, entry, _ = make(tmp_path, count)
    for act in (lambda: store.write("a", b""), lambda: store.upload(source, "a", entry)):
        with pytest.raises(DataError, match="there is no such bucket"):
            act()
    assert store.folders() == [] and store.sizes("a") == {} and store.read("a", 10) is None


def test_files_of_another_size(store: ObjectStore, tmp_path: Path) -> None:
    _, entry, content = make(tmp_path, 2000)
    for other in (b"", content[:-1], content[:1000], content + b"x", content * 3):
        store.write("file", other)
        with pytest.raises(DataError, match="is not the file"):
            store.download("file", tmp_path / "back", entry)
        assert not (tmp_path / "back").exists()
    store.write("empty", b"x")
    with pytest.raises(DataError, match="is not the file"):
        store.download("empty", tmp_path / "back", FileEntry(size=0, sha256=hashlib.sha256().hexdigest()))
    with pytest.raises(MlebenchError, match="larger than 1,999 bytes"):
        store.write("file", content)
        store.read("file", 1999)
