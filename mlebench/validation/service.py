"""The validation endpoint of one attempt: `POST /validate` and `GET /health`, in a confined process of its own.

    python -m mlebench.validation.service '{"competition": FOLDER, "sample": FILE, "log": FILE, ...}'

Started by mlebench.validation.launcher. Prints one line of JSON once it listens, ends when its standard input is
closed. Only the standard library is loaded here; each upload is judged by a worker process that inherits the
confinement (mlebench.validation.worker).
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import socketserver
import subprocess
import sys
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import mlebench
from mlebench.hosting.listening import listen_at
from mlebench.validation.confine import confine, open_to_others
from mlebench.validation.upload import Upload, UploadError, receive

_CONNECTIONS = 32


@dataclass(frozen=True)
class Settings:
    """What the launcher asks for."""

    competition: str
    sample: str
    log: str
    work: str
    socket: str | None
    port: int
    answers: str | None
    max_bytes: int
    seconds: float
    memory_bytes: int


@dataclass(frozen=True)
class Verdict:
    """What is answered and logged."""

    status: int
    valid: bool | None
    """None: the file could not be judged."""
    reason: str | None
    message: str
    warnings: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The plain-text answer."""
        if self.valid is None:
            return self.message
        if not self.valid:
            return f"Submission is invalid: {self.message}"
        return " ".join(["Submission is valid.", *(f"Note: {warning}" for warning in self.warnings)])


class Judge:
    """Takes one upload at a time, has it validated, notes the call."""

    def __init__(self, settings: Settings, sample: Path, log: int) -> None:
        self._settings = settings
        self._sample = sample
        self._log = log
        self._turn = threading.Lock()
        self.protection = "none"

    def judge(self, handler: BaseHTTPRequestHandler) -> Verdict:
        """Receive the request's file and answer it."""
        settings = self._settings
        if not self._turn.acquire(timeout=4 * settings.seconds):
            return Verdict(503, None, None, "Another validation is still running; try again later.")
        path = Path(settings.work) / "submission.csv"
        upload = None
        try:
            try:
                upload = receive(handler.rfile, handler.headers, path, settings.max_bytes)
                verdict = self._validate(path)
            except UploadError as problem:
                reason = "too_large" if problem.status == 413 else None
                verdict = Verdict(problem.status, False if reason else None, reason, str(problem))
            self._note(verdict, upload)
            return verdict
        finally:
            path.unlink(missing_ok=True)
            self._turn.release()

    def _validate(self, path: Path) -> Verdict:
        settings = self._settings
        command = [sys.executable, "-P", "-m", "mlebench.validation.worker"]
        command += [settings.competition, str(self._sample), str(path)]
        command += [str(settings.memory_bytes), str(int(settings.seconds) + 1)]
        environment = {
            "PATH": os.defpath,
            "HOME": settings.work,
            "TMPDIR": settings.work,
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(Path(settings.work) / "lib"),
            "OPENBLAS_NUM_THREADS": "1",
        }
        try:
            done = subprocess.run(
                command,
                env=environment,
                cwd=settings.work,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                timeout=settings.seconds,
                check=False,
            )
            result = json.loads(done.stdout.splitlines()[-1])
            return Verdict(200, result["valid"], result["reason"], result["message"], tuple(result["warnings"]))
        except subprocess.TimeoutExpired:
            return Verdict(503, None, None, f"Checking the file took more than {settings.seconds:g} seconds.")
        except (IndexError, ValueError, KeyError):
            return Verdict(500, None, None, "The file could not be checked; it may be too large or too odd.")

    def _note(self, verdict: Verdict, upload: Upload | None) -> None:
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "valid": verdict.valid,
            "reason": verdict.reason,
            "sha256": upload.sha256 if upload else None,
            "bytes": upload.bytes if upload else None,
        }
        os.write(self._log, json.dumps(line).encode() + b"\n")


class _Handler(BaseHTTPRequestHandler):
    """Two paths, nothing else; the request's path never names a file."""

    protocol_version = "HTTP/1.1"
    server_version = "mlebench"
    sys_version = ""
    timeout = 120

    @property
    def _judge(self) -> Judge:
        return self.server.judge  # type: ignore[attr-defined]

    def do_GET(self) -> None:
        if self.path != "/health":
            self._answer(404, {"error": "There are only /health and /validate."})
            return
        self._answer(200, {"status": "running", "protection": self._judge.protection}, as_json=True)

    def do_POST(self) -> None:
        if self.path != "/validate":
            self._answer(404, {"error": "There are only /health and /validate."})
            return
        verdict = self._judge.judge(self)
        facts: dict[str, Any] = {"valid": verdict.valid, "reason": verdict.reason, "message": verdict.message}
        self._answer(verdict.status, {**facts, "warnings": list(verdict.warnings)}, verdict.sentence)

    do_PUT = do_POST

    def _answer(self, status: int, facts: dict[str, Any], sentence: str | None = None, as_json: bool = False) -> None:
        as_json = as_json or "application/json" in self.headers.get("Accept", "")
        text = json.dumps(facts) if as_json else (sentence or facts.get("error", ""))
        body = (text + "\n").encode("utf-8", "replace")
        self.send_response(status)
        self.send_header("Content-Type", "application/json" if as_json else "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


class _Server(socketserver.ThreadingMixIn, socketserver.BaseServer):
    """Serves a listening socket with a bounded number of threads; a failed connection is nobody's concern."""

    daemon_threads = True

    def __init__(self, listening: socket.socket, judge: Judge) -> None:
        super().__init__(listening.getsockname(), _Handler)
        self.socket = listening
        self.judge = judge
        self._slots = threading.BoundedSemaphore(_CONNECTIONS)

    def fileno(self) -> int:
        return self.socket.fileno()

    def get_request(self) -> tuple[socket.socket, Any]:
        return self.socket.accept()

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._slots.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            request.close()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def shutdown_request(self, request: Any) -> None:
        try:
            request.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        request.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


def _sample_in_reach(settings: Settings) -> Path:
    """The sample, or a copy where only root could come to it."""
    sample = Path(settings.sample).resolve()
    if os.geteuid() != 0 or open_to_others(sample):
        return sample
    copy = Path(settings.work) / f"sample{sample.suffix}"
    shutil.copyfile(sample, copy)
    return copy


def _end_with(stdin: int) -> None:
    # A closed pipe rather than PR_SET_PDEATHSIG: that signal also comes when merely the thread of the runner that
    # started us ends, is forgotten when the user id changes, and exists on Linux only.
    while os.read(stdin, 4096):
        pass
    os._exit(0)


def main() -> None:
    """Open what is needed, give up the rest, serve."""
    settings = Settings(**json.loads(sys.argv[1]))
    work = Path(settings.work)
    listening = listen_at(Path(settings.socket) if settings.socket else None, settings.port, _CONNECTIONS)
    os.chdir(work)
    log = os.open(settings.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    # Workers find this package by a link, so that the folder around it (which may hold data) need not be readable.
    (work / "lib").mkdir(exist_ok=True)
    (work / "lib" / "mlebench").symlink_to(Path(mlebench.__file__).resolve().parent)
    judge = Judge(settings, _sample_in_reach(settings), log)
    readable = [Path(settings.competition), judge._sample]
    judge.protection = confine(readable, work, Path(settings.answers) if settings.answers else None)
    server = _Server(listening, judge)
    threading.Thread(target=_end_with, args=(0,), daemon=True).start()
    address = listening.getsockname()
    ready = {"protection": judge.protection, "port": address[1] if settings.socket is None else 0}
    print(json.dumps(ready), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
