#!/usr/bin/env python3
"""Many attempts in real containers while their runner is killed again and again, and the engine restarted.

    python scripts/soak.py                                    # 200 attempts, 8 at a time, kill -9 ten times
    python scripts/soak.py --restart-engine own               # the same; the engine is restarted once on the way
    python scripts/soak.py --overhead --attempts 200          # seconds beside bare containers, memory over time

The runner (`mlebench run --agent dummy`) is killed at random moments and resumed at once. At the end every attempt must
have been graded, once; and nothing may be left: containers, processes, sockets, leases, temporary and half-written files.
Exit code 1 where that, or a limit (overhead 2 s an attempt, memory that grows by more than 10 %), does not hold.

--restart-engine own: as root, in an engine started for this beside the others'. shared: the engine whose pid is in
~/.cache/mlebench-ci/dockerd.pid is ended and scripts/ensure_docker.sh starts it again; what others run in it ends too.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.tables import machine, markdown_table, text_table
from soaking.bench_run import HAND_IN, Load, Place, Runner, counts
from soaking.engines import Engine, engine
from soaking.graded_once import Judged, judge
from soaking.leftovers import leftovers
from soaking.overhead import Cost, measure

OVERHEAD_SECONDS, GROWTH = 2.0, 1.10
LATE_SECONDS = 1.5
"""A kill strikes up to so long after its turn has come: while a runner starts, adopts, collects, grades."""
RESTART, KILL = "restart", "kill"


@dataclass
class Soaked:
    """What a soak came to."""

    attempts: int
    seconds: float = 0.0
    exit_code: int | None = None
    lives: list[dict[str, float]] = field(default_factory=list)
    """Of each runner: seconds, attempts done at its end, peak memory."""
    engine_away: float | None = None
    """Seconds from the end of the engine until it answered again."""
    judged: Judged = field(default_factory=Judged)
    leftovers: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        ended = [] if self.exit_code == 0 else [f"the last runner ended with exit code {self.exit_code}"]
        return [*ended, *self.judged.faults, *(f"left behind: {one}" for one in self.leftovers)]


def soak(place: Place, load: Load, *, kills: int, engine: Engine | None, seed: int, limit: float) -> Soaked:
    """Run, kill, resume, to the end; then look at what came of it."""
    rng, result, began = random.Random(seed), Soaked(load.attempts), time.monotonic()
    turns = [(rng.uniform(0, 0.9) * load.attempts, KILL) for _ in range(kills)]
    turns += [(0.5 * load.attempts, RESTART)] if engine is not None else []
    turns.sort()
    runner = Runner(place, load)
    while (code := runner.poll()) is None:
        if time.monotonic() - began > limit:
            runner.kill()
            result.judged.faults.append(f"not over after {limit:.0f} s: {counts(place)}")
            break
        if not turns or counts(place).get("done", 0) < turns[0][0]:
            time.sleep(0.05)
            continue
        what = turns.pop(0)[1]
        time.sleep(rng.uniform(0, LATE_SECONDS))
        if what == RESTART and engine is not None:
            result.engine_away = engine.restart()
        elif runner.poll() is None:
            runner.kill()
            _note(result, place, runner)
            runner = Runner(place, load)
    runner.end()
    _note(result, place, runner)
    result.seconds, result.exit_code = time.monotonic() - began, code
    judged = judge(place.run, load.attempts)
    judged.faults += result.judged.faults
    if missed := [what for _, what in turns]:
        judged.faults.append(f"the run was over before {len(missed)} of its {kills} kills")
    result.judged = judged
    result.leftovers = leftovers(place, _run_id(place) if load.sandbox == "docker" else None)
    return result


def _note(result: Soaked, place: Place, runner: Runner) -> None:
    life = {"seconds": time.monotonic() - runner.began, "done": counts(place).get("done", 0)}
    result.lives.append({**life, "peak_mb": round(runner.memory.peak_mb, 1)})


def _run_id(place: Place) -> str:
    from mlebench.running.store import load_run

    return load_run("soak", place.runs).id


def main() -> int:
    options = _options()
    print(machine(), file=sys.stderr)
    options.dir.mkdir(parents=True, exist_ok=True)
    report: dict[str, object] = {}
    faults: list[str] = []
    if options.overhead:
        few, many = (1, max(1, options.attempts // 8)), (options.concurrency, options.attempts)
        costs = [
            measure(options.dir, agent, at_once, attempts, options.rounds)
            for agent in (HAND_IN, "dummy")
            for at_once, attempts in (few, many)
        ]
        report["overhead"] = [{**asdict(cost), "overhead": cost.overhead} for cost in costs]
        faults = _cost_faults(costs)
        if not options.json:
            _show_costs(costs, options.markdown)
    else:
        with (
            engine(options.restart_engine) as restarted,
            tempfile.TemporaryDirectory(dir=options.dir, prefix="soak-") as folder,
        ):
            place = Place(Path(folder))
            place.prepare()
            load = Load(options.attempts, options.concurrency, options.sandbox, time_limit=options.time_limit)
            result = soak(
                place,
                load,
                kills=options.kills,
                engine=restarted,
                seed=options.seed,
                limit=options.limit,
            )
            if options.keep:
                subprocess.run(["cp", "-r", folder, str(options.keep)], check=True)
        report, faults = {**asdict(result), "faults": result.faults}, result.faults
        if not options.json:
            _show_soaked(result, options.markdown)
    if options.json:
        print(json.dumps(report, indent=2))
    for fault in faults:
        print(f"FAULT {fault}", file=sys.stderr)
    return int(bool(faults))


def _cost_faults(costs: list[Cost]) -> list[str]:
    found = [
        f"an attempt of {cost.agent} takes {cost.overhead:.2f} s more than a bare container, {cost.concurrency} at a time"
        for cost in costs
        if cost.overhead > OVERHEAD_SECONDS
    ]
    for early, late in [cost.memory_mb for cost in costs if cost.memory_mb]:
        if not math.isnan(early + late) and late > GROWTH * early:
            found.append(f"the runner's memory grew from {early:.0f} to {late:.0f} MB")
    return found


def _show_costs(costs: list[Cost], markdown: bool) -> None:
    headings = [
        "agent",
        "at a time",
        "attempts",
        "bare s",
        "attempt s",
        "overhead s",
        "in its slot s",
        "start s",
        "cpu s",
        "memory MB",
    ]
    rows = []
    for cost in costs:
        memory = "" if cost.memory_mb is None else f"{cost.memory_mb[0]:.0f}, then {cost.memory_mb[1]:.0f}"
        figures = (cost.bare, cost.attempt, cost.overhead, cost.overhead_in_slot, cost.start, cost.cpu)
        rows.append([cost.agent, str(cost.concurrency), str(cost.attempts), *(f"{one:.2f}" for one in figures), memory])
    print((markdown_table if markdown else text_table)(headings, rows))


def _show_soaked(result: Soaked, markdown: bool) -> None:
    judged = result.judged
    rows = [
        ["attempts graded, once each", f"{judged.graded} of {result.attempts}"],
        ["seconds", f"{result.seconds:.0f}"],
        ["runners killed", str(len(result.lives) - 1)],
        ["engine away, s", "" if result.engine_away is None else f"{result.engine_away:.1f}"],
        ["tries", ", ".join(f"{number} took {tries}" for tries, number in sorted(judged.tries.items()))],
        *([note, str(number)] for note, number in sorted(judged.notes.items())),
        ["peak memory of each runner, MB", ", ".join(f"{life['peak_mb']:.0f}" for life in result.lives)],
        ["left behind", str(len(result.leftovers))],
    ]
    print((markdown_table if markdown else text_table)(["", "found"], rows))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--attempts", type=int, default=200)
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--restart-engine", choices=["own", "shared"], help="once, half-way")
    parser.add_argument("--sandbox", choices=["docker", "process"], default="docker")
    parser.add_argument("--time-limit", default="2m", help="of each attempt")
    parser.add_argument("--limit", type=float, default=1800, help="seconds after which the soak counts as stuck")
    parser.add_argument("--seed", type=int, default=1, help="of the moments of the kills")
    parser.add_argument("--overhead", action="store_true", help="measure instead of killing")
    parser.add_argument("--rounds", type=int, default=1, help="rounds of --overhead")
    parser.add_argument("--dir", type=Path, default=Path(tempfile.gettempdir()), help="scratch folder")
    parser.add_argument("--keep", type=Path, help="copy the run's folders here")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
