"""What tests of leases share."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from mlebench.hardware.api import SharePolicy
from mlebench.hardware.leases import Leases

RUNNER = Path(__file__).parent / "runner.py"


def desk(policy: dict[str, Any] | None = None, living: Any = lambda name: False, **options: Any) -> Leases:
    return Leases(
        SharePolicy(**{"concurrency": 4, "gpus_per_attempt": 1, **(policy or {})}),
        living=living,
        **{"settle_seconds": 0.0, **options},
    )


class Runner:
    """A process that holds leases."""

    def __init__(self, root: Path, count: int = 1, settle: float = 0.0, **policy: Any) -> None:
        self.living = root / "living"
        self.living.mkdir(exist_ok=True)
        self.folder = root / "leases"
        facts = {"cards": count, "living": str(self.living), "folder": str(self.folder), "settle": settle}
        facts["policy"] = {"concurrency": 4, "gpus_per_attempt": 1, **policy}
        self.process = subprocess.Popen(
            [sys.executable, str(RUNNER), json.dumps(facts)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, line: str) -> dict[str, Any] | None:
        assert self.process.stdin and self.process.stdout
        print(line, file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *exception: object) -> None:
        self.kill()
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                stream.close()
