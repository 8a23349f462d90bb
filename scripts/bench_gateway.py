"""What the model gateway adds: concurrent streams straight at the scripted server, and through the gateway.

    python scripts/bench_gateway.py [--streams 50] [--rounds 12] [--chunks 20] [--seconds 1.0] [--burst] [--json FILE]

Scripted server, gateway and client are three processes on this machine. A round is all streams at the same time, each a
chat completion whose chunks come paced as from a model; rounds straight at the server, through a Unix socket and
through a port follow one another in turn, so that a machine busy with other things slows all three alike. Streams
of a round start evenly spread over a second (`--burst`: all at once). Afterwards the gateway's count of tokens is
compared with the server's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from mlebench.gateway.api import Ticket
from mlebench.gateway.launcher import Gateway

KEY = "bench-key"
WAYS = ("direct", "unix", "tcp")


@dataclass
class Timing:
    """Seconds of every stream that went one way."""

    first: list[float] = field(default_factory=list)
    """From the request to the first byte of the body."""
    whole: list[float] = field(default_factory=list)


def start_server(folder: Path, options: argparse.Namespace) -> tuple[subprocess.Popen[bytes], int]:
    """The scripted server as a process of its own."""
    text = "word " * 10 * options.chunks
    pace = options.seconds / (options.chunks + 1)
    reply = {"text": text, "chunks": options.chunks, "pace": pace, "usage": {"input": 1234, "cached": 234}}
    (folder / "scripts").mkdir()
    (folder / "scripts" / "demo.json").write_text(json.dumps({"rules": [{"reply": reply}]}))
    command = [sys.executable, "-m", "mlebench.scripted", "--scripts", str(folder / "scripts")]
    command += ["--port-file", str(folder / "port"), "--log", str(folder / "sent.jsonl"), "--end-with-stdin"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    while not (folder / "port").exists():
        if process.poll() is not None:
            sys.exit("The scripted server did not start.")
        time.sleep(0.02)
    return process, int((folder / "port").read_text())


async def one_stream(session: aiohttp.ClientSession, url: str, model: str, wait: float, timing: Timing) -> None:
    """One stream from start to end."""
    await asyncio.sleep(wait)
    body = {"model": model, "stream": True, "messages": [{"role": "user", "content": "a prompt " * 500}]}
    body |= {"stream_options": {"include_usage": True}}
    started, first = time.perf_counter(), 0.0
    async with session.post(url, json=body, headers={"Authorization": f"Bearer {KEY}"}) as response:
        response.raise_for_status()
        last = b""
        async for data in response.content.iter_any():
            first = first or time.perf_counter() - started
            last = data
    assert last.endswith(b"[DONE]\n\n"), last
    timing.first.append(first)
    timing.whole.append(time.perf_counter() - started)


async def measure(
    options: argparse.Namespace, port: int, door: int, path: Path, timings: dict[str, Timing]
) -> dict[str, int]:
    """All rounds; how many streams went each way."""
    sessions = {
        "direct": aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)),
        "tcp": aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)),
        "unix": aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path), limit=0)),
    }
    places = {
        "direct": (f"http://127.0.0.1:{port}/v1/chat/completions", "demo"),
        "tcp": (f"http://127.0.0.1:{door}/v1/chat/completions", "bench/demo"),
        "unix": ("http://gateway/v1/chat/completions", "bench/demo"),
    }
    counts = dict.fromkeys(WAYS, 0)
    for number in range(options.rounds + 1):
        turn = number % len(WAYS)
        for way in WAYS[turn:] + WAYS[:turn]:
            url, model = places[way]
            timing = timings[way] if number else Timing()  # the first round warms up
            waits = [0.0 if options.burst else index / options.streams for index in range(options.streams)]
            await asyncio.gather(*(one_stream(sessions[way], url, model, wait, timing) for wait in waits))
            counts[way] += options.streams
    for session in sessions.values():
        await session.close()
    return counts


def percentile(values: list[float], part: float) -> float:
    """Milliseconds below which this part of the values lies."""
    return 1000 * sorted(values)[min(int(part * len(values)), len(values) - 1)]


def compare_usage(folder: Path, gateway: Gateway, counts: dict[str, int]) -> dict[str, Any]:
    """The gateway's totals and the server's, of the streams that went through the gateway."""
    entries = [json.loads(line) for line in (folder / "sent.jsonl").read_bytes().splitlines()]
    through = [entry["usage"] for entry in entries if entry["model"] == "demo" and entry["session"] == ""]
    usage = [gateway.dismiss(attempt) for attempt in ("unix", "tcp")]
    counted = [sum(getattr(one, name) for one in usage) for name in ("tokens_in", "tokens_out", "tokens_cached")]
    sent = [sum(entry[name] for entry in through) for name in ("input", "output", "cached")]
    assert sum(one.calls for one in usage) == len(through) == counts["unix"] + counts["tcp"]
    return {
        "sent": sent,
        "counted": counted,
        "equal": sent == counted,
        "unmetered": sum(one.unmetered for one in usage),
    }


def main() -> int:
    """Measure, print, and fail where the usage differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--chunks", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--burst", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    timings = {way: Timing() for way in WAYS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server, port = start_server(folder, options)
        providers = folder / "providers.toml"
        providers.write_text(
            f'[providers.bench]\nkey = "none"\nfree = true\n'
            f'[providers.bench.speaks]\nopenai-chat = "http://127.0.0.1:{port}/v1"\n'
        )
        try:
            with Gateway(folder / "run", providers=providers) as gateway:
                path = folder / "gateway.sock"
                gateway.admit(Ticket("unix", KEY, folder / "unix.jsonl", "bench/demo", socket=path))
                door = gateway.admit(Ticket("tcp", KEY, folder / "tcp.jsonl", "bench/demo")).port
                assert door is not None
                loaded = os.getloadavg()[0]
                counts = asyncio.run(measure(options, port, door, path, timings))
                usage = compare_usage(folder, gateway, counts)
        finally:
            assert server.stdin is not None
            server.stdin.close()
            server.wait()
    start = "all at once" if options.burst else "spread over a second"
    print(f"{options.streams} streams at a time ({start}), {options.rounds} rounds each way, {options.chunks} chunks")
    print(f"over {options.seconds:g} s; {os.cpu_count()} processors, load before the start {loaded:.1f}\n")
    print(f"{'milliseconds':24}{'first byte':>22}{'whole request':>24}")
    print(f"{'':24}{'median':>11}{'p95':>11}{'median':>13}{'p95':>11}")
    figures: dict[str, Any] = {"usage": usage, "load": loaded, "options": {**vars(options), "json": None}}
    rows: dict[str, list[float]] = {}
    for way in WAYS:
        timing = timings[way]
        rows[way] = [
            1000 * statistics.median(timing.first),
            percentile(timing.first, 0.95),
            1000 * statistics.median(timing.whole),
            percentile(timing.whole, 0.95),
        ]
    for way in ("unix", "tcp"):
        rows[f"added through {way}"] = [mine - base for mine, base in zip(rows[way], rows["direct"], strict=True)]
    for label, row in rows.items():
        print(f"{label:24}{row[0]:11.2f}{row[1]:11.2f}{row[2]:13.2f}{row[3]:11.2f}")
    figures["milliseconds"] = rows
    print(f"\ntokens in, out, cached: sent {usage['sent']}, counted {usage['counted']}", end="")
    print(f", estimated calls {usage['unmetered']}: {'equal' if usage['equal'] else 'NOT EQUAL'}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0 if usage["equal"] else 1


if __name__ == "__main__":
    sys.exit(main())
