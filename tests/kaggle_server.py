"""A Kaggle for tests: speaks the calls of kaggle 2.2 / kagglesdk 0.1 that mlebench makes, and fails on demand.

    POST /api/v1/competitions.CompetitionApiService/<Call>    JSON in, JSON or a redirect out
    GET  /storage/<id>.zip                                     what the redirect points to: ranges, ETag, md5

The real client is pointed here by `point_client_at`; another process by running `tests/kaggle_cli.py`.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import json
import re
import socket
import struct
import termios
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

BLOCK = 1 << 16
RULES_MESSAGE = "You must accept this competition's rules before you'll be able to download files."


@dataclass
class Contest:
    """One competition on the server, and how it misbehaves."""

    zip: bytes | Path = b""
    refuse: int = 0
    """403, 404, ...: the status of every call about it."""
    message: str = "refused"
    refuse_headers: dict[str, str] = field(default_factory=dict)
    empty_answer: int = 0
    """204 or 302: the status of an answer to DownloadDataFiles that leads nowhere."""
    storage_refuse: int = 0
    """The status of every answer of the storage."""
    late_submissions: bool = True
    pages: list[dict[str, Any]] = field(default_factory=list)
    private: list[tuple[str, str]] = field(default_factory=list)
    """(team, score), best first: what GetLeaderboard pages through."""
    public_csv: bytes = b""
    """The zip that DownloadLeaderboard gives."""
    files: list[dict[str, Any]] = field(default_factory=list)
    etag: str = '"v1"'
    new_etags: bool = False
    """Another ETag with every answer."""
    heed_if_range: bool = True
    claimed_more: int = 0
    """Bytes by which the announced size is too large."""
    chunked_until: int = 0
    """Send the file in chunks, without its size, and stop without a word after so many bytes."""
    one_byte: bool = False
    """Answer every range with one byte of it."""
    kind: str = "application/zip"
    encoding: str = ""
    """A Content-Encoding that nobody asked for."""
    ranges: bool = True
    cut_every: int = 0
    """Bytes of one answer after which the connection is reset."""
    cuts: int = -1
    """How many times; -1 for ever."""
    wrong_byte: int = -1
    """Offset of a byte that is sent flipped."""
    wrong_times: int = -1
    bytes_per_second: float = 0
    stall_at: int = -1
    """Offset at which the server falls silent, once."""
    announce_md5: bool = False
    hang_up: bool = False
    """Close every storage connection without a word."""
    silent_for: float = 0
    """Seconds before the storage says anything."""
    storage: str = ""
    """Another server's address that the redirect points to; empty: this one's."""

    @property
    def size(self) -> int:
        return self.zip.stat().st_size if isinstance(self.zip, Path) else len(self.zip)

    def blocks(self, start: int, end: int) -> Iterator[bytes]:
        if isinstance(self.zip, bytes):
            for at in range(start, end, BLOCK):
                yield self.zip[at : min(end, at + BLOCK)]
            return
        with self.zip.open("rb") as file:
            file.seek(start)
            while start < end and (block := file.read(min(BLOCK, end - start))):
                start += len(block)
                yield block


@dataclass
class Wire:
    """What went over the storage's wire."""

    ranges: list[tuple[int, int]] = field(default_factory=list)
    """(first byte, bytes sent) of each answer."""

    def sent(self) -> int:
        return sum(count for _, count in self.ranges)


class FakeKaggle:
    """The server; `failures` are statuses given to the next requests before anything else happens."""

    def __init__(self, port: int = 0) -> None:
        self.contests: dict[str, Contest] = {}
        self.token = "good-token"
        self.failures: list[tuple[int, dict[str, str]]] = []
        self.busy_after = -1
        """Calls after which every further one is answered 429 with a long Retry-After; -1: never."""
        self.calls: Counter[str] = Counter()
        self.wire: dict[str, Wire] = {}
        self.agents: set[str] = set()
        self.storage_headers: list[dict[str, str]] = []
        """Of every request to the storage."""
        self.lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"kaggle": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        self.endpoint = f"http://localhost:{self._server.server_port}"

    def start(self) -> FakeKaggle:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def authorized(self, header: str) -> bool:
        if header == f"Bearer {self.token}":
            return True
        return header == "Basic " + base64.b64encode(f"someone:{self.token}".encode()).decode()


class _Handler(BaseHTTPRequestHandler):
    kaggle: FakeKaggle
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        call = self.path.rpartition("/")[2]
        with self.kaggle.lock:
            self.kaggle.calls[call] += 1
            self.kaggle.agents.add(self.headers.get("User-Agent", ""))
            failure = self.kaggle.failures.pop(0) if self.kaggle.failures else None
            if 0 <= self.kaggle.busy_after < self.kaggle.calls.total():
                failure = (429, {"Retry-After": "500"})
        if failure is not None:
            self._json(failure[0], {"code": failure[0], "message": "failing on demand"}, failure[1])
            return
        if not self.kaggle.authorized(self.headers.get("Authorization", "")):
            self._json(401, {"code": 401, "message": "Unauthenticated"})
            return
        contest = self.kaggle.contests.get(body.get("competitionName", ""))
        if contest is None:
            self._json(404, {"code": 404, "message": "Not found"})
            return
        if contest.refuse and call != "GetCompetition":
            self._json(contest.refuse, {"code": contest.refuse, "message": contest.message}, contest.refuse_headers)
            return
        getattr(self, f"_{call}")(contest, body)

    def _GetCompetition(self, contest: Contest, body: dict[str, Any]) -> None:
        self._json(200, {"ref": body["competitionName"], "submissionsDisabled": not contest.late_submissions})

    def _ListDataFiles(self, contest: Contest, body: dict[str, Any]) -> None:
        self._json(200, {"files": contest.files})

    def _ListCompetitionPages(self, contest: Contest, body: dict[str, Any]) -> None:
        self._json(200, {"pages": contest.pages})

    def _GetLeaderboard(self, contest: Contest, body: dict[str, Any]) -> None:
        size, at = body.get("pageSize") or 20, int(body.get("pageToken") or 0)
        rows = [
            {"teamId": at + i, "teamName": team, "score": score}
            for i, (team, score) in enumerate(contest.private[at : at + size])
        ]
        following = at + size if at + size < len(contest.private) else ""
        self._json(200, {"submissions": rows, "nextPageToken": str(following)})

    def _DownloadLeaderboard(self, contest: Contest, body: dict[str, Any]) -> None:
        self._whole(200, contest.public_csv, "application/zip")

    def _DownloadDataFiles(self, contest: Contest, body: dict[str, Any]) -> None:
        if contest.empty_answer:
            self.send_response(contest.empty_answer)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        host = contest.storage or self.kaggle.endpoint
        self.send_response(302)
        self.send_header("Location", f"{host}/storage/{body['competitionName']}.zip?signature=abc")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        if self.path.startswith("/api/"):  # a redirect of a call to itself
            self._whole(302, b"", "text/html", {"Location": self.path})
            return
        name = self.path.partition("?")[0].rpartition("/")[2].removesuffix(".zip")
        contest = self.kaggle.contests[name]
        self.kaggle.storage_headers.append(dict(self.headers))
        time.sleep(contest.silent_for)
        if contest.storage_refuse:
            self._whole(contest.storage_refuse, b"<html>no</html>", "text/html")
            return
        if contest.hang_up:
            self.close_connection = True
            return
        if contest.new_etags:
            contest.etag = f'"v{len(self.kaggle.storage_headers)}"'
        if contest.chunked_until:
            self._chunks(name, contest)
            return
        size, start, end, status = contest.size, 0, contest.size, 200
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        current = self.headers.get("If-Range", contest.etag) == contest.etag or not contest.heed_if_range
        if wanted and contest.ranges and current:
            start, end = int(wanted[1]), min(size, int(wanted[2]) + 1) if wanted[2] else size
            status = 206
            if start >= size:
                self._whole(416, b"", "text/plain", {"Content-Range": f"bytes */{size}"})
                return
            end = start + 1 if contest.one_byte else end
        size += contest.claimed_more
        announced = end - start + (contest.claimed_more if end == contest.size else 0)
        self.send_response(status)
        self.send_header("Content-Type", contest.kind)
        if contest.encoding:
            self.send_header("Content-Encoding", contest.encoding)
        self.send_header("Content-Length", str(announced))
        self.send_header("ETag", contest.etag)
        if contest.ranges:
            self.send_header("Accept-Ranges", "bytes")
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{start + announced - 1}/{size}")
        if contest.announce_md5:
            whole = b"".join(contest.blocks(0, contest.size))
            digest = base64.b64encode(hashlib.md5(whole).digest()).decode()
            self.send_header("x-goog-hash", f"crc32c=AAAAAA==,md5={digest}")
        self.end_headers()
        self._send(name, contest, start, end, probe=bool(wanted and wanted[2]))

    def _send(self, name: str, contest: Contest, start: int, end: int, *, probe: bool) -> None:
        entry = [start, 0]
        with contextlib.suppress(OSError):
            for block in contest.blocks(start, end):
                at = start + entry[1]
                if 0 <= contest.stall_at - at < len(block) and not probe:
                    self.wfile.write(block[: contest.stall_at - at])
                    entry[1] += contest.stall_at - at
                    contest.stall_at = -1
                    time.sleep(5)
                    break
                if 0 <= contest.wrong_byte - at < len(block) and contest.wrong_times != 0 and not probe:
                    contest.wrong_times -= 1
                    changed = bytearray(block)
                    changed[contest.wrong_byte - at] ^= 0xFF
                    block = bytes(changed)
                left = contest.cut_every - entry[1] if contest.cut_every and contest.cuts != 0 else len(block)
                self.wfile.write(block[:left])
                entry[1] += min(left, len(block))
                if left <= len(block) and contest.cut_every and contest.cuts != 0 and not probe:
                    contest.cuts -= 1
                    self.wfile.flush()
                    _arrived(self.connection)
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.close_connection = True
                    break
                if contest.bytes_per_second:
                    time.sleep(len(block) / contest.bytes_per_second)
        if start + entry[1] < end or contest.claimed_more:
            self.close_connection = True
        if not probe:
            with self.kaggle.lock:
                self.kaggle.wire.setdefault(name, Wire()).ranges.append((entry[0], entry[1]))

    def _chunks(self, name: str, contest: Contest) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("ETag", contest.etag)
        self.end_headers()
        for block in contest.blocks(0, contest.chunked_until):
            self.wfile.write(f"{len(block):x}\r\n".encode() + block + b"\r\n")
        self.close_connection = True
        with self.kaggle.lock:
            self.kaggle.wire.setdefault(name, Wire()).ranges.append((0, contest.chunked_until))

    def _json(self, status: int, value: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        self._whole(status, json.dumps(value).encode(), "application/json", headers)

    def _whole(self, status: int, content: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def _arrived(connection: socket.socket, patience: float = 5.0) -> None:
    """Wait until what was sent has arrived: a reset throws away what is still under way, which is no fault of ours."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, b"\0" * 4))[0] == 0:
            return
        time.sleep(0.001)


def point_client_at(endpoint: str) -> None:
    """Let the real client of this process talk to a server here: its TEST environment has a fixed port otherwise."""
    from kagglesdk import kaggle_env

    kaggle_env._env_to_endpoint[kaggle_env.KaggleEnv.TEST] = endpoint
