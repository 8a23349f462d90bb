"""Submissions that are no files, and output that is hard to walk; the option `what` says which."""

import gzip
import io
import os
import socket
import sys
import time
import zipfile

from harm.common import SUBMISSION, TOLD, honest


def symlink():
    os.symlink(TOLD["answers"], SUBMISSION)
    os.symlink("/", "/home/code/root")
    os.symlink(TOLD["runs"], "/home/logs/runs")


def fifo():
    os.mkfifo(SUBMISSION)
    os.mkfifo("/home/logs/outcome.json")
    time.sleep(6)


def unix_socket():
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(SUBMISSION)
    listening.listen(1)
    os.mkfifo("/home/code/pipe")


def folder():
    os.mkdir(SUBMISSION)
    with open(SUBMISSION + "/submission.csv", "w") as file:
        file.write("id,y\n1,1\n2,0\n3,1\n")
    os.chdir("/home/code")
    for _ in range(35):
        os.mkdir("d" * 100)
        os.chdir("d" * 100)
    os.chdir("/home/logs")
    for name in (
        b"a\nb",
        b"\xff\xfe",
        b"c" * 255,
        b"..\\..\\x",
        b"-rf",
        b"%00",
        b"\x1b[2Jx",
        "é\u202egpj.exe".encode(),
    ):
        with open(name, "w") as file:
            file.write("x")
    os.mkdir("closed")
    with open("closed/inside", "w") as file:
        file.write("x")
    os.chmod("closed", 0)


def abyss():
    """Deeper than any path may be long, and than any program may recurse."""
    honest()
    os.chdir("/home/code")
    for _ in range(5000):
        os.mkdir("d" * 50)
        os.chdir("d" * 50)
        os.chmod(".", 0o300)
    time.sleep(600)


def sparse():
    for path, size in ((SUBMISSION, 1 << 40), ("/home/logs/ten_gigabytes", 10 * 10**9), ("/home/code/huge", 1 << 43)):
        with open(path, "wb") as file:
            file.truncate(size)
    time.sleep(6)


def bomb():
    raw = io.BytesIO()
    with (
        zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as pack,
        pack.open("submission.csv", "w") as file,
    ):
        for _ in range(500):
            file.write(bytes(1 << 20))
    with open(SUBMISSION, "wb") as file:
        file.write(raw.getvalue())
    for suffix in (".zip", ".gz", ".parquet"):
        with open("/home/submission/submission" + suffix, "wb") as file:
            file.write(raw.getvalue() if suffix == ".zip" else gzip.compress(bytes(50 << 20), 1))
    time.sleep(6)


def wide():
    with open(SUBMISSION, "wb") as file:
        file.write(b"id,y")
        for number in range(2_000_000):
            file.write(b",c%d" % number)
        file.write(b'\n1,"')
        for _ in range(30):
            file.write(b"x" * (1 << 20))


def swap():
    """Replaced all the time while snapshots are taken: by a link to the answers, by a pipe, by a folder, by a file."""
    over = time.monotonic() + 8
    number = 0
    while time.monotonic() < over:
        number += 1
        aside = f"/home/submission/.aside{number % 4}"
        try:
            if number % 4 == 0:
                os.symlink(TOLD["answers"], aside)
            elif number % 4 == 1:
                os.mkfifo(aside)
            elif number % 4 == 2:
                os.symlink("/proc/self/environ", aside)
            else:
                with open(aside, "w") as file:
                    file.write(f"id,y\n1,0.{number % 9}1\n2,0\n3,1\n")
            os.replace(aside, SUBMISSION)
        except OSError:
            pass
        time.sleep(0.003 if number % 500 else 2.5)
    os.replace(SUBMISSION, "/home/submission/old")
    honest()


def main(what=None):
    getattr(sys.modules[__name__], what)()
