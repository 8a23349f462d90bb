"""Try `mlebench mirror` against a server that speaks S3: a round trip through cut connections, and kill -9.

    python -m venv /tmp/s3 && /tmp/s3/bin/pip install -c constraints.txt -e . && /tmp/s3/bin/pip install s3fs
    /tmp/s3/bin/pip install 'moto[server]' "boto3==$(/tmp/s3/bin/pip show botocore | sed -n 's/^Version: //p')"
    /tmp/s3/bin/python scripts/try_mirror_s3.py [--megabytes 200] [--files 2000] [--cut-megabytes 20] [--kills 10]

The server is moto's, the client the real s3fs; between them lies a proxy that counts bytes and resets connections.
Reported: whether what was imported is byte-identical and verified, how much was sent beyond the data's size, that
an unfinished export is never imported, and what wrong credentials and a missing bucket are told as.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from try_download_resume import NAME, make_competition  # noqa: E402

BUCKET = "lab"
STORE = f"s3://{BUCKET}/mle"


class Proxy:
    """Passes TCP on, counts the bytes both ways, and resets connections after `cut` bytes on average (0: never)."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.cut = 0
        self.cuts = 0
        self._rng = random.Random(3)
        self.up = 0
        self.down = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def counted(self) -> dict[str, float]:
        """Megabytes since the last call, and resets."""
        counts = {"up_mb": round(self.up / 1e6, 1), "down_mb": round(self.down / 1e6, 1), "resets": self.cuts}
        self.up = self.down = self.cuts = 0
        return counts

    def _accept(self) -> None:
        while True:
            client, _ = self._socket.accept()
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = socket.create_connection(("127.0.0.1", self._target))
        left = [self._rng.expovariate(1 / self.cut) if self.cut else float("inf")]
        down = threading.Thread(target=self._pass, args=(server, client, left, "down"), daemon=True)
        down.start()
        self._pass(client, server, left, "up")
        down.join()
        for end in (client, server):
            end.close()

    def _pass(self, source: socket.socket, sink: socket.socket, left: list[float], way: str) -> None:
        with suppress(OSError):
            while block := source.recv(1 << 16):
                sink.sendall(block)
                setattr(self, way, getattr(self, way) + len(block))
                left[0] -= len(block)
                if left[0] < 0:
                    self.cuts += 1
                    for end in (source, sink):
                        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                        end.shutdown(socket.SHUT_RDWR)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class Trial:
    """A server, a proxy before it, a prepared competition."""

    def __init__(self, where: Path, megabytes: int, files: int) -> None:
        self.where = where
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.proxy = Proxy(port)
        self.environment = os.environ | {
            "AWS_ACCESS_KEY_ID": "made-up",
            "AWS_SECRET_ACCESS_KEY": "made-up",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.proxy.port}",
        }
        self._make_bucket(port)
        self.bytes = self._prepare(megabytes, files)

    def _make_bucket(self, port: int) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                request = urllib.request.Request(f"http://127.0.0.1:{port}/{BUCKET}", method="PUT")
                urllib.request.urlopen(request, timeout=5).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def _prepare(self, megabytes: int, files: int) -> int:
        rng, raw = random.Random(7), self.where / "raw"
        raw.mkdir()
        for number in range(4):
            (raw / f"large{number}.bin").write_bytes(rng.randbytes(megabytes * 1_000_000 // 4))
        for number in range(files):
            (raw / f"small{number}.bin").write_bytes(rng.randbytes(2000))
        (raw / "sample_submission.csv").write_text("id,value\n1,0\n")
        blank = self.where / "none"
        blank.touch()
        make_competition(self.where / "competitions" / NAME, blank)
        code, said, _ = self.run("prepare", NAME, "--source", str(raw), data="data")
        assert code == 0, said
        return sum(path.stat().st_size for path in raw.iterdir())

    def start(self, *words: str, data: str, **environment: str) -> subprocess.Popen[str]:
        """A command with the data directory of this name."""
        command = [sys.executable, "-m", "mlebench", *words, "--data-dir", str(self.where / data)]
        command += ["--competitions-dir", str(self.where / "competitions")]
        return subprocess.Popen(
            command,
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
        )

    def run(self, *words: str, data: str, **environment: str) -> tuple[int, str, float]:
        """Exit code, last lines, seconds."""
        started, process = time.monotonic(), self.start(*words, data=data, **environment)
        said, _ = process.communicate()
        return process.returncode, said.strip(), round(time.monotonic() - started, 1)

    def identical(self, data: str) -> bool:
        """Whether the imported files are the exported ones, and `mlebench verify` says so too."""
        trees = [_digests(self.where / one / NAME / "prepared") for one in ("data", data)]
        return trees[0] == trees[1] and self.run("verify", NAME, data=data)[0] == 0


def _digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }


def try_round_trip(trial: Trial, cut: int) -> dict[str, object]:
    """Export and import, connections reset after `cut` megabytes on average; then both again, which copy nothing."""
    result: dict[str, object] = {"data_mb": round(trial.bytes / 1e6, 1)}
    trial.proxy.cut = cut * 1_000_000
    trial.proxy.counted()
    for name, words in (("export", ("export", STORE)), ("import", ("import", STORE))):
        for time_ in ("first", "second"):
            code, said, seconds = trial.run("mirror", *words, data="data" if name == "export" else "round")
            result[f"{name}_{time_}"] = {"exit": code, "said": said, "seconds": seconds, **trial.proxy.counted()}
    trial.proxy.cut = 0
    return {**result, "identical": trial.identical("round")}


def try_kills(trial: Trial, kills: int, seed: int) -> dict[str, object]:
    """Kill -9 exports, then imports, at random moments; each then goes on where it was."""
    rng, store = random.Random(seed), f"{STORE}-kills"
    result: dict[str, object] = {}
    for verb, data in (("export", "data"), ("import", "killed")):
        trial.proxy.counted()
        taken, refused = [], True
        for _ in range(kills // 2):
            before = trial.proxy.up + trial.proxy.down
            process = trial.start("mirror", verb, store, data=data)
            goal = before + rng.uniform(0.02, 0.3) * trial.bytes
            while process.poll() is None and trial.proxy.up + trial.proxy.down < goal:
                time.sleep(0.002)
            if process.poll() is not None:
                break
            process.send_signal(signal.SIGKILL)
            process.communicate()
            taken.append(round((trial.proxy.up + trial.proxy.down - before) / 1e6, 1))
            if verb == "export":
                code, said, _ = trial.run("mirror", "import", store, data="early")
                refused &= code == 2 and "no finished export" in said and not (trial.where / "early" / NAME).exists()
            else:
                refused &= not (trial.where / data / NAME / "prepared").exists()
        code, said, seconds = trial.run("mirror", verb, store, data=data)
        result[verb] = {
            "killed_after_mb": taken,
            "unfinished_is_refused": refused,
            "exit": code,
            "said": said,
            "seconds": seconds,
            **trial.proxy.counted(),
        }
    return {**result, "identical": trial.identical("killed")}


def try_refusals(trial: Trial) -> dict[str, object]:
    """What a user is told."""
    nobody = trial.environment.copy()
    trial.environment = {name: value for name, value in nobody.items() if not name.startswith("AWS_ACCESS")}
    told = {"no credentials": trial.run("mirror", "export", STORE, data="data")}
    trial.environment = nobody
    told["no such bucket"] = trial.run("mirror", "export", "s3://absent/mle", data="data")
    told["no such bucket, import"] = trial.run("mirror", "import", "s3://absent/mle", data="other")
    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    told["no server"] = trial.run("mirror", "import", STORE, data="other", **nowhere)
    return {name: {"exit": code, "said": said, "seconds": seconds} for name, (code, said, seconds) in told.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=200, help="four files of a quarter of this")
    parser.add_argument("--files", type=int, default=2000, help="small ones beside them")
    parser.add_argument("--cut-megabytes", type=int, default=20)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    where = Path(tempfile.mkdtemp())
    trial = Trial(where, options.megabytes, options.files)
    try:
        print(json.dumps({"round trip": try_round_trip(trial, options.cut_megabytes)}, indent=2), flush=True)
        print(json.dumps({"kills": try_kills(trial, options.kills, options.seed)}, indent=2), flush=True)
        print(json.dumps({"refusals": try_refusals(trial)}, indent=2))
    finally:
        trial.server.kill()
        shutil.rmtree(where)


if __name__ == "__main__":
    main()
