"""What an attempt takes beyond a bare container: `mlebench run` beside `docker run --rm IMAGE true`, in turns."""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from soaking.bench_run import Load, Place, Runner
from soaking.graded_once import judge, span
from soaking.memory import growth

IMAGE = "mlebench-agent"


@dataclass(frozen=True)
class Cost:
    """Seconds for each attempt that go by on the clock (not in its slot, where they are `concurrency` times as many)."""

    agent: str
    concurrency: int
    attempts: int
    bare: float
    """docker run --rm --network none IMAGE true."""
    attempt: float
    """From the first attempt's start to the last one's grade, divided by the attempts."""
    start: float
    """Seconds that the command takes besides: imports, checks, the last words."""
    cpu: float
    """Processor seconds of the runner and its helpers for each attempt; without the agent and the engine."""
    memory_mb: tuple[float, float] | None = None
    """The runner's memory early and late, where there were enough attempts to tell."""

    @property
    def overhead(self) -> float:
        """Seconds on the clock for each attempt beyond a bare container."""
        return self.attempt - self.bare

    @property
    def overhead_in_slot(self) -> float:
        """Seconds that one attempt takes longer than one bare container, both with `concurrency` of their kind."""
        return self.concurrency * self.overhead


def measure(where: Path, agent: str, concurrency: int, attempts: int, rounds: int) -> Cost:
    """Bare containers and attempts in turns; the medians of the rounds, the memory of the last one."""
    bare, whole, starts, cpu = [], [], [], []
    memory = None
    for _ in range(rounds):
        bare.append(bare_seconds(attempts, concurrency))
        with tempfile.TemporaryDirectory(dir=where, prefix="soak-") as folder:
            place = Place(Path(folder))
            place.prepare()
            runner = Runner(place, Load(attempts, concurrency, agent=agent))
            code = runner.end()
            took = time.monotonic() - runner.began
            judged = judge(place.run, attempts)
            if code or judged.faults:
                raise RuntimeError(f"the run ended with exit code {code}; {judged.faults[:3]}")
            whole.append(span(place.run) / attempts)
            starts.append(took - whole[-1] * attempts)
            cpu.append(runner.cpu / attempts)
            memory = growth(runner.memory.samples, attempts) if attempts >= 100 else None
    return Cost(agent, concurrency, attempts, *map(statistics.median, (bare, whole, starts, cpu)), memory)


def bare_seconds(count: int, concurrency: int) -> float:
    """Seconds on the clock for each of `count` containers that do nothing, `concurrency` at a time."""
    command = ["docker", "run", "--rm", "--network", "none", IMAGE, "true"]

    def one(_: int) -> None:
        subprocess.run(command, check=True, capture_output=True)

    began = time.monotonic()
    with ThreadPoolExecutor(concurrency) as pool:
        list(pool.map(one, range(count)))
    return (time.monotonic() - began) / count
