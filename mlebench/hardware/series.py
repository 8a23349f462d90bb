"""telemetry.jsonl: what GPUs did over time, one line a few seconds, in a file that never outgrows its bound.

The first line says what is measured (`gpus`, `driver`, `shared`, `unavailable`). Each other line sums up `n` samples:

    {"t": 1764324500.1, "n": 1, "memory": 81604378624,
     "gpus": [{"utilisation": 97.0, "memory": 81604378624, "power": 612.3, "temperature": 61, "energy": 1.2e9,
               "joules": 3061.5}]}

t: Unix time of the last sample. memory: bytes; per GPU the highest, per line the highest sum. utilisation (per cent)
and power (W): means. temperature (°C): highest. energy: the GPU's own counter at the end, in J. joules: used since the
line before. told: how many of the samples told the utilisation, where not all did. fault: what was wrong with the GPU.
null: not available, or the GPU did not answer. When the file has LINES lines, pairs of them become one,
and from then on each line stands for twice as many samples.
"""

from __future__ import annotations

import errno
import json
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlebench.hardware.api import Telemetry

LINES = 6000
"""Most lines of samples in a file: eight hours of one every five seconds, a day and a half of one every twenty."""
_GB = 1024**3
_JOULES_PER_KWH = 3_600_000.0

Line = dict[str, Any]


@dataclass
class Totals:
    """What a series adds up to."""

    samples: int = 0
    utilisation: float = 0.0
    """Sum over samples and GPUs that told it."""
    utilisation_told: int = 0
    memory_peak: int | None = None
    joules: float | None = None

    def add(self, line: Line) -> None:
        """Count one line in."""
        count = int(line["n"])
        self.samples += count
        if line.get("memory") is not None:
            self.memory_peak = max(self.memory_peak or 0, int(line["memory"]))
        for gpu in line["gpus"]:
            told = _told(gpu, count)
            if told:
                self.utilisation += float(gpu["utilisation"]) * told
                self.utilisation_told += told
            if gpu.get("joules") is not None:
                self.joules = (self.joules or 0.0) + float(gpu["joules"])


@dataclass
class Series:
    """One attempt's file. Opened on an existing one, it goes on where that stopped."""

    path: Path
    header: Line
    limit: int = LINES
    totals: Totals = field(default_factory=Totals)
    last: Line | None = None
    """The newest sample, for differences to the next one."""
    _lines: int = 0
    _per_line: int = 1
    _pending: Line | None = None

    def __post_init__(self) -> None:
        header, lines = read_series(self.path)
        if header is None or _ids(header) != _ids(self.header):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            _write_whole(self.path, [self.header])
            return
        for line in lines:
            self.totals.add(line)
        self._lines = len(lines)
        if lines:
            self.last = lines[-1]
            # Most lines stand for so many; single ones for fewer (written early) or more (the disk was full).
            self._per_line = Counter(int(line["n"]) for line in lines).most_common(1)[0][0]
        _write_whole(self.path, [header, *lines])

    def add(self, sample: Line) -> None:
        """Append one sample (n = 1). OSError where the file cannot be written; the totals hold it all the same."""
        self.totals.add(sample)
        self.last = sample
        self._pending = sample if self._pending is None else merge(self._pending, sample)
        if self._pending["n"] >= self._per_line:
            self.flush()

    def flush(self) -> None:
        """Write what waits for its line to be full."""
        if self._pending is None:
            return
        with self.path.open("ab", buffering=0) as file:
            size, content = file.seek(0, os.SEEK_END), _text(self._pending).encode()
            if file.write(content) != len(content):
                # The disk is full. What waits is merged with the next sample, so that totals stay true.
                file.truncate(size)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._pending = None
        self._lines += 1
        if self._lines >= self.limit:
            self._coarsen()

    def _coarsen(self) -> None:
        header, lines = read_series(self.path)
        paired = [merge(*lines[at : at + 2]) if at + 1 < len(lines) else lines[at] for at in range(0, len(lines), 2)]
        _write_whole(self.path, [header or self.header, *paired])
        self._lines = len(paired)
        self._per_line *= 2


def read_series(path: Path) -> tuple[Line | None, list[Line]]:
    """Header and lines of a file; what a crash left half-written is passed over. None where there is no such file."""
    try:
        texts = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None, []
    header: Line | None = None
    lines: list[Line] = []
    for text in texts:
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if not isinstance(line, dict) or not isinstance(line.get("gpus"), list):
            continue
        if header is None and "t" not in line:
            header = line
        elif header is not None and "t" in line and len(line["gpus"]) == len(header["gpus"]):
            lines.append(line)
    return header, lines


def summarise(header: Line | None, totals: Totals) -> Telemetry:
    """A series' totals as reports keep them."""
    header = header or {}
    told = totals.utilisation_told
    return Telemetry(
        gpus=[str(gpu.get("name")) for gpu in header.get("gpus", ())],
        driver=header.get("driver"),
        samples=totals.samples,
        utilisation_mean=round(totals.utilisation / told, 2) if told else None,
        memory_peak_gb=None if totals.memory_peak is None else round(totals.memory_peak / _GB, 3),
        energy_kwh=None if totals.joules is None else round(totals.joules / _JOULES_PER_KWH, 6),
        shared=bool(header.get("shared")),
    )


def telemetry_of(path: Path) -> Telemetry:
    """The totals of a file, for reports and for checking what a record says."""
    header, lines = read_series(path)
    totals = Totals()
    for line in lines:
        totals.add(line)
    return summarise(header, totals)


def merge(first: Line, second: Line) -> Line:
    """One line for two that follow each other."""
    weights = int(first["n"]), int(second["n"])
    return {
        "t": second["t"],
        "n": sum(weights),
        "memory": _highest(first.get("memory"), second.get("memory")),
        "gpus": [_merge_gpu(a, b, weights) for a, b in zip(first["gpus"], second["gpus"], strict=True)],
    }


def _merge_gpu(first: Line, second: Line, weights: tuple[int, int]) -> Line:
    told = _told(first, weights[0]), _told(second, weights[1])
    merged: Line = {
        "utilisation": _mean(first.get("utilisation"), second.get("utilisation"), told),
        "power": _mean(first.get("power"), second.get("power"), weights),
    }
    if 0 < sum(told) < sum(weights):
        merged["told"] = sum(told)
    for key in ("memory", "temperature"):
        merged[key] = _highest(first.get(key), second.get(key))
    energy = second.get("energy")
    merged["energy"] = first.get("energy") if energy is None else energy
    joules = [line["joules"] for line in (first, second) if line.get("joules") is not None]
    merged["joules"] = round(sum(joules), 3) if joules else None
    if fault := second.get("fault") or first.get("fault"):
        merged["fault"] = fault
    return merged


def _told(gpu: Line, count: int) -> int:
    """How many of a line's samples told the utilisation."""
    return 0 if gpu.get("utilisation") is None else int(gpu.get("told", count))


def _ids(header: Line) -> list[object]:
    return [gpu.get("id") for gpu in header.get("gpus", ())]


def _mean(first: float | None, second: float | None, weights: tuple[int, int]) -> float | None:
    if first is None or second is None:
        return second if first is None else first
    return round((first * weights[0] + second * weights[1]) / sum(weights), 3)


def _highest(first: float | None, second: float | None) -> float | None:
    told = [value for value in (first, second) if value is not None]
    return max(told) if told else None


def _text(line: Line) -> str:
    return json.dumps(line, separators=(",", ":"), allow_nan=False) + "\n"


def _write_whole(path: Path, lines: list[Line]) -> None:
    aside = path.with_name(path.name + ".tmp")
    with aside.open("w", encoding="utf-8") as file:
        file.writelines(map(_text, lines))
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
