"""Opening hostile files: whatever lies at the path, the answer is quick, one sentence, and no other exception."""

from __future__ import annotations

import gc
import gzip
import io
import os
import socket
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlebench.errors import InvalidSubmissionError, Reason
from mlebench.grading import submission
from mlebench.grading.submission import open_submission

GOOD = "id,y\n1,0.9\n2,0.1\n3,0.8\n4,0.2\n"
MEBIBYTE = 2**20


def zipped(*members: tuple[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def reason_of(path: Path) -> Reason:
    with pytest.raises(InvalidSubmissionError) as caught, open_submission(path):
        pass
    assert "\n" not in str(caught.value)
    return caught.value.reason


def test_a_path_may_be_a_text(tmp_path: Path) -> None:
    (tmp_path / "good.csv").write_text(GOOD)
    with open_submission(str(tmp_path / "good.csv")) as file:
        assert file.header == "id,y" and file.path == tmp_path / "good.csv"


# What is no regular file.


def test_nothing_there(tmp_path: Path) -> None:
    assert reason_of(tmp_path / "none.csv") is Reason.NO_FILE
    (tmp_path / "file").write_text("x")
    assert reason_of(tmp_path / "file" / "submission.csv") is Reason.NO_FILE


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "submission.csv").mkdir()
    assert reason_of(tmp_path / "submission.csv") is Reason.NOT_A_FILE


@pytest.mark.parametrize("target", ["/etc/passwd", "nowhere", "submission.csv"])
def test_a_symlink_is_never_followed(tmp_path: Path, target: str) -> None:
    (tmp_path / "submission.csv").symlink_to(target)
    assert reason_of(tmp_path / "submission.csv") is Reason.NOT_A_FILE


def test_pipes_sockets_and_devices_never_hang(tmp_path: Path) -> None:
    """In a process of its own, which a hanging open would keep from ending."""
    os.mkfifo(tmp_path / "pipe.csv")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket.csv"))
        for path in (tmp_path / "pipe.csv", tmp_path / "socket.csv", "/dev/zero", "/dev/stdin"):
            code = (
                "import sys; from pathlib import Path; from mlebench.grading.submission import open_submission\n"
                "try:\n  open_submission(Path(sys.argv[1])).__enter__()\n"
                "except Exception as error: print(type(error).__name__, error.reason.value)"
            )
            done = subprocess.run(
                [sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL
            )  # fmt: skip
            assert done.stdout.split() == ["InvalidSubmissionError", "not_a_file"], (path, done)


def test_a_path_that_no_file_can_have(tmp_path: Path) -> None:
    assert reason_of(tmp_path / ("x" * 300 + ".csv")) is Reason.NOT_A_FILE
    assert reason_of(Path(f"{tmp_path}/nul\0.csv")) is Reason.NOT_A_FILE


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "submission.csv").write_text(GOOD)

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(submission.os, "open", refuse)
    assert reason_of(tmp_path / "submission.csv") is Reason.NOT_A_FILE


# Bytes that are no CSV.


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", Reason.EMPTY),
        (b"id,y\n1,caf\xe9\n", Reason.BAD_ENCODING),
        (b"id,y\n1,0.5\xc3", Reason.BAD_ENCODING),
        (b"id,y\n1,\xed\xa0\x80\n", Reason.BAD_ENCODING),  # a lone surrogate
        (b"id,y\n1,\xc0\x80\n", Reason.BAD_ENCODING),  # NUL, overlong
        ("id,y\n1,0.5\n".encode("utf-16"), Reason.BAD_ENCODING),
        ("id,y\n1,0.5\n".encode("utf-16-le"), Reason.BAD_ENCODING),
        ("id,y\n1,0.5\n".encode("utf-32"), Reason.BAD_ENCODING),
        (b"id,y\n1,0.5\n\0", Reason.BAD_ENCODING),
    ],
)
def test_bytes_that_are_no_text(tmp_path: Path, content: bytes, reason: Reason) -> None:
    (tmp_path / "submission.csv").write_bytes(content)
    assert reason_of(tmp_path / "submission.csv") is reason


def test_a_character_across_the_border_of_two_reads_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submission, "_CHUNK", 3)
    (tmp_path / "submission.csv").write_text("ä,ö\n€,𝄞\n")
    with open_submission(tmp_path / "submission.csv") as file:
        assert file.open().read().decode() == "ä,ö\n€,𝄞\n"


@pytest.mark.parametrize(
    "name", ["submission.txt", "submission", "submission.csv.exe", "submission.tar.gz", "x.CSV.bz2"]
)
def test_other_suffixes(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(GOOD)
    assert reason_of(tmp_path / name) is Reason.UNREADABLE


def test_a_pickle_is_not_loaded(tmp_path: Path, contest) -> None:
    import pickle

    class Trap:
        def __reduce__(self) -> tuple:
            return (Path.touch, (tmp_path / "sprung",))

    own = contest()
    for name in ("submission.csv", "submission.parquet", "submission.zip", "submission.csv.gz"):
        own.refusal(pickle.dumps(Trap()), name)
    assert not (tmp_path / "sprung").exists()


# Too much of it.


def quick_and_lean(path: Path, limit: int = submission.MAX_BYTES) -> str:
    """The reason, found within 30 s and with 64 MiB of memory on top of what the imports take."""
    code = (
        "import sys, resource; from pathlib import Path\n"
        "from mlebench.grading import submission\n"
        f"submission.MAX_BYTES = {limit}\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n  submission.open_submission(Path(sys.argv[1])).__enter__()\n"
        "except Exception as error: print(getattr(error, 'reason', type(error)))\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)"
    )
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=60)
    assert time.monotonic() - started < 30, "took too long"
    reason, memory = done.stdout.split()
    assert int(memory) < 64, f"took {memory} MiB"
    return reason


def test_one_endless_line_is_refused_with_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "submission.csv"
    with path.open("wb") as out:
        out.write(b"id,y\n1,")
        for _ in range(300):
            out.write(b"7" * MEBIBYTE)
    assert quick_and_lean(path) == "too_large"


def test_a_long_line_that_hides_behind_short_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submission, "_CHUNK", 100)
    monkeypatch.setattr(submission, "MAX_LINE_BYTES", 1000)
    path = tmp_path / "submission.csv"
    for before in (0, 1, 50, 99, 100, 101, 250):
        for length, fits in ((990, True), (1200, False)):
            path.write_bytes(b"id,y\n" + b"1\n" * before + b"x" * length + b"\n" + b"2\n" * 50)
            if fits:
                with open_submission(path):
                    pass
            else:
                assert reason_of(path) is Reason.TOO_LARGE


def test_a_sparse_file_of_a_terabyte(tmp_path: Path) -> None:
    path = tmp_path / "submission.csv"
    with path.open("wb") as out:
        out.truncate(2**40)
    started = time.monotonic()
    assert reason_of(path) is Reason.TOO_LARGE
    assert time.monotonic() - started < 30  # reading it would take many minutes


def gzip_bomb(mebibytes: int) -> bytes:
    """One chunk of compressed newlines again and again: a few kilobytes that unpack to any size."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    chunk = packer.compress(b"\n" * MEBIBYTE) + packer.flush(zlib.Z_FULL_FLUSH)
    end = packer.flush()
    crc = 0
    for _ in range(mebibytes):
        crc = zlib.crc32(b"\n" * MEBIBYTE, crc)
    head = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    return head + chunk * mebibytes + end + struct.pack("<II", crc, mebibytes * MEBIBYTE & 0xFFFFFFFF)


@pytest.mark.parametrize("suffix", ["csv.gz", "zip"])
def test_bombs_end_at_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    monkeypatch.setattr(submission, "MAX_BYTES", 20 * MEBIBYTE)
    bomb = gzip_bomb(64) if suffix == "csv.gz" else zipped(("a.csv", b"\n" * (64 * MEBIBYTE)))
    path = tmp_path / f"submission.{suffix}"
    path.write_bytes(bomb)
    assert len(bomb) < MEBIBYTE
    assert reason_of(path) is Reason.TOO_LARGE


@pytest.mark.parametrize("suffix", ["csv.gz", "zip"])
def test_bombs_are_refused_with_little_memory(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"submission.{suffix}"
    path.write_bytes(gzip_bomb(600) if suffix == "csv.gz" else zipped(("a.csv", b"1\n" * (300 * MEBIBYTE))))
    assert quick_and_lean(path, 512 * MEBIBYTE) == "too_large"


# Archives.


def test_archives_that_are_fine(contest) -> None:
    own = contest()
    plain = own.score(GOOD)
    assert own.score(gzip.compress(GOOD.encode()), "submission.csv.gz") == plain
    assert own.score(zipped(("a/b/Mine.CSV", GOOD.encode())), "submission.zip") == plain
    with_mac = zipped(("__MACOSX/._a.csv", b"\0\1"), ("folder/", b""), ("a.csv", GOOD.encode()))
    assert own.score(with_mac, "submission.csv.zip") == plain
    assert own.score(zipped(("a.csv", GOOD.encode()), compression=zipfile.ZIP_STORED), "s.zip") == plain
    two_parts = gzip.compress(GOOD[:11].encode()) + gzip.compress(GOOD[11:].encode())
    assert own.score(two_parts, "submission.csv.gz") == plain


@pytest.mark.parametrize(
    "members",
    [
        [],
        [("a.csv", b"id,y\n"), ("b.csv", b"id,y\n")],
        [("a.txt", b"id,y\n1,1\n")],
        [("a.csv", b"id,y\n"), ("readme.md", b"hello")],
    ],
)
def test_zips_of_other_than_one_csv(contest, members: list[tuple[str, bytes]]) -> None:
    assert contest().refusal(zipped(*members), "submission.zip") == "unreadable"


def test_an_encrypted_zip(contest) -> None:
    own = contest()
    for flags in (0x1, 0x41):
        content = bytearray(zipped(("a.csv", GOOD.encode())))
        for mark, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
            start = content.index(mark) + place
            content[start : start + 2] = struct.pack("<H", flags)
        assert own.refusal(bytes(content), "submission.zip") == "unreadable"


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_unpack_without_bound_are_refused(contest, compression: int) -> None:
    assert contest().refusal(zipped(("a.csv", GOOD.encode()), compression=compression), "s.zip") == "unreadable"


@pytest.mark.parametrize("method", [1, 9, 93, 95, 98, 99])
def test_a_zip_by_an_unknown_method(contest, method: int) -> None:
    content = bytearray(zipped(("a.csv", GOOD.encode())))
    for mark, place in ((b"PK\3\4", 8), (b"PK\1\2", 10)):
        start = content.index(mark) + place
        content[start : start + 2] = struct.pack("<H", method)
    assert contest().refusal(bytes(content), "submission.zip") == "unreadable"


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_zips_with_any_byte_damaged(contest, compression: int) -> None:
    own = contest()
    whole = zipped(("a.csv", GOOD.encode()), compression=compression)
    for place in range(len(whole)):
        for value in (0, 0xFF, whole[place] ^ 1):
            damaged = whole[:place] + bytes([value]) + whole[place + 1 :]
            own.agree(own.write(damaged, "submission.zip"))
    for length in range(0, len(whole), 3):
        own.agree(own.write(whole[:length], "submission.zip"))


def test_gzips_with_any_byte_damaged(contest) -> None:
    own = contest()
    whole = gzip.compress(GOOD.encode(), mtime=0)
    for place in range(len(whole)):
        for value in (0, 0xFF, whole[place] ^ 1):
            own.agree(own.write(whole[:place] + bytes([value]) + whole[place + 1 :], "submission.csv.gz"))
    for length in range(len(whole)):
        assert own.refusal(whole[:length], "submission.csv.gz") in ("unreadable", "empty")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(st.binary(max_size=200), st.binary(max_size=60).map(lambda b: b"PK\3\4" + b), st.binary(max_size=60).map(lambda b: b"PAR1" + b + b"PAR1"), st.binary(max_size=60).map(lambda b: b"\x1f\x8b\x08" + b)),
    name=st.sampled_from(["s.csv", "s.csv.gz", "s.zip", "s.parquet"]),
)  # fmt: skip
def test_random_bytes(made_contest, content: bytes, name: str) -> None:
    made_contest.agree(made_contest.write(content, name))


@pytest.fixture
def made_contest(contest):
    return contest()


def test_the_file_is_left_as_it_was(contest) -> None:
    """Opening closes its handles and writes nothing."""
    own = contest()
    path = own.write(GOOD)
    before = path.stat()
    gc.collect()
    handles = len(os.listdir("/proc/self/fd"))
    for _ in range(50):
        own.grader.score(path)
        own.refusal("id\n1\n", "broken.csv")
        own.refusal(b"PK\3\4", "broken.zip")
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= handles
    assert path.stat().st_mtime_ns == before.st_mtime_ns
