"""What attempts use of their GPUs, sampled every few seconds on one beat for the whole runner.

An attempt without GPUs costs nothing: no thread, no file. A shared GPU is asked once for all who share it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from mlebench.errors import HardwareError
from mlebench.hardware import nvml
from mlebench.hardware.api import Share, Telemetry
from mlebench.hardware.asking import Question
from mlebench.hardware.inventory import used_bytes
from mlebench.hardware.series import Line, Series, Totals, summarise, telemetry_of

EVERY_SECONDS = 5.0
ANSWER_SECONDS = 2.0
"""How long a GPU may take for one reading."""
_LAST_WORD_SECONDS = 5.0
"""How long the end of an attempt waits for the last sample."""
_MEASURES = ("utilisation", "memory", "power", "temperature", "energy")


class Sampler:
    """Samples the GPUs of one attempt into a file, from `start` to `stop`.

    On a file that a killed runner left it goes on: totals are those of the whole file, and what the GPUs' energy
    counters moved meanwhile is counted. Never fails: telemetry is not worth an attempt.
    """

    def __init__(self, share: Share, file: Path, *, every_seconds: float = EVERY_SECONDS) -> None:
        self.devices = tuple(share.gpus)
        self.every_seconds = every_seconds
        self.problem: str | None = None
        """Why samples are lost, if they are."""
        self._shared = bool(share.slots)
        self._file = file
        self._lock = threading.Lock()
        self._series: Series | None = None
        self._over = False

    def start(self) -> Sampler:
        """Take the first sample soon, then one every few seconds."""
        if self.devices:
            _PULSE.join(self)
        return self

    def stop(self) -> None:
        """Take a last sample and write down what is still to be written; harmless when done twice."""
        if self.devices:
            _PULSE.leave(self, _LAST_WORD_SECONDS)
            with self._lock:
                self._over = True
                if self._series is not None:
                    with self._noting_problems():
                        self._series.flush()

    def summary(self) -> Telemetry:
        """Totals until now. Without GPUs: no samples."""
        with self._lock:
            if self._series is not None:
                return summarise(self._series.header, self._series.totals)
        return telemetry_of(self._file) if self.devices else summarise(None, Totals())

    def record(self, readings: dict[str, Line], now: float) -> None:
        """Add one sample (the thread's part)."""
        gpus = [readings[device] for device in self.devices]
        header = self._header(gpus) if self._series is None else {}
        with self._lock, self._noting_problems():
            if self._over:
                return
            if self._series is None:
                self._series = Series(self._file, header)
            self._series.add(_sample(gpus, now, self._series.last))

    def __enter__(self) -> Sampler:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def _header(self, gpus: list[Line]) -> Line:
        return {
            "version": 1,
            "gpus": [
                {"id": device, "name": gpu.get("name") or device}
                for device, gpu in zip(self.devices, gpus, strict=True)
            ],
            "driver": next((gpu["driver"] for gpu in gpus if gpu.get("driver")), None),
            "shared": self._shared,
            "unavailable": [key for key in _MEASURES if any(gpu[key] is None and "fault" not in gpu for gpu in gpus)],
            "every_seconds": self.every_seconds,
        }

    @contextmanager
    def _noting_problems(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.problem = f"telemetry cannot be written to {self._file}: {error.strerror}"
        except Exception as error:  # the thread must live on for the others
            self.problem = f"telemetry failed ({type(error).__name__}: {error})"


class _Pulse:
    """The one thread; it exists while there is something to sample."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: dict[Sampler, float] = {}
        self._leaving: dict[Sampler, threading.Event] = {}
        self._thread: threading.Thread | None = None
        self._questions: dict[str, Question[Line]] = {}

    def join(self, sampler: Sampler) -> None:
        with self._changed:
            self._due.setdefault(sampler, 0.0)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True, name="telemetry")
                self._thread.start()
            self._changed.notify()

    def leave(self, sampler: Sampler, seconds: float) -> None:
        with self._changed:
            if sampler not in self._due:
                return
            self._due[sampler] = 0.0
            event = self._leaving.setdefault(sampler, threading.Event())
            self._changed.notify()
        if not event.wait(seconds):
            with self._changed:
                self._due.pop(sampler, None)
                self._leaving.pop(sampler, None)

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._due:
                    self._thread = None
                    return
                wait = min(self._due.values()) - time.monotonic()
                if wait > 0:
                    self._changed.wait(wait)
                    continue
                now = time.monotonic()
                due = [sampler for sampler, at in self._due.items() if at <= now]
                leaving = {sampler: self._leaving.get(sampler) for sampler in due}
                for sampler in due:
                    # On common beats, so that a GPU that attempts share is asked once for all of them.
                    self._due[sampler] = (now // sampler.every_seconds + 1) * sampler.every_seconds
            readings = self._read({device for sampler in due for device in sampler.devices})
            wall = time.time()
            for sampler in due:
                with self._changed:
                    wanted = sampler in self._due
                if wanted:
                    sampler.record(readings, wall)
            with self._changed:
                for sampler, event in leaving.items():
                    if event is not None:
                        self._due.pop(sampler, None)
                        self._leaving.pop(sampler, None)
                        event.set()

    def _read(self, devices: set[str]) -> dict[str, Line]:
        """Read them all at once; one that hangs is not asked again until it answers, and spoils no other's sample."""
        for device in devices:
            known = self._questions.get(device)
            if known is None or known.age > 0:  # an answer that came too late for its sample
                self._questions[device] = Question(partial(read_device, device), f"reading {device}")
        readings = {}
        for device in devices:
            question = self._questions[device]
            if question.wait(ANSWER_SECONDS):
                del self._questions[device]
                readings[device] = _answer(question)
            else:
                readings[device] = dict.fromkeys(_MEASURES) | {"fault": "does not answer"}
        return readings


_PULSE = _Pulse()


def read_device(device: str) -> Line:
    """One reading of a GPU or MIG device: utilisation (%), memory (bytes), power (W), temperature (°C), energy (J);
    and its name and driver.

    None for what is not available: of MIG devices, NVML tells memory alone, and the temperature of the GPU.
    """
    reading: Line = dict.fromkeys(_MEASURES)
    try:
        reading["driver"] = nvml.text(nvml.ask("nvmlSystemGetDriverVersion"))
        handle = nvml.handle_of(device)
        reading["name"] = nvml.text(nvml.ask("nvmlDeviceGetName", handle))
        reading["memory"] = used_bytes(handle)
        part = device.startswith("MIG-")
        card = nvml.ask("nvmlDeviceGetDeviceHandleFromMigDeviceHandle", handle) if part else handle
        if card is not None:
            reading["temperature"] = nvml.ask("nvmlDeviceGetTemperature", card, 0)
        if not part:
            rates = nvml.ask("nvmlDeviceGetUtilizationRates", handle)
            reading["utilisation"] = None if rates is None else float(rates.gpu)
            reading["power"] = _thousandth(nvml.ask("nvmlDeviceGetPowerUsage", handle))
            reading["energy"] = _thousandth(nvml.ask("nvmlDeviceGetTotalEnergyConsumption", handle))
    except (nvml.DeviceFaultError, HardwareError) as error:
        reading["fault"] = str(error)
    return reading


def _answer(question: Question[Line]) -> Line:
    try:
        return question.answer()
    except Exception as error:
        return dict.fromkeys(_MEASURES) | {"fault": f"could not be read ({type(error).__name__}: {error})"}


def _sample(gpus: list[Line], now: float, last: Line | None) -> Line:
    before = last["gpus"] if last is not None else [None] * len(gpus)
    seconds = max(0.0, now - float(last["t"])) if last is not None else 0.0
    gpus = [_row(gpu, old) for gpu, old in zip(gpus, before, strict=True)]
    memory = [gpu["memory"] for gpu in gpus if gpu["memory"] is not None]
    return {
        "t": round(now, 3),
        "n": 1,
        "memory": sum(memory) if memory else None,
        "gpus": [{**gpu, "joules": _joules(gpu, old, seconds)} for gpu, old in zip(gpus, before, strict=True)],
    }


def _row(gpu: Line, old: Line | None) -> Line:
    row = {key: gpu[key] for key in _MEASURES}
    if "fault" in gpu:
        # Its last counter is kept, so that what it uses while it does not answer is counted later.
        row |= {"fault": gpu["fault"], "energy": old.get("energy") if old else None}
    return row


def _joules(gpu: Line, old: Line | None, seconds: float) -> float | None:
    """What a GPU used since its last reading: its counter's difference, else mean power times time."""
    if gpu["energy"] is None and gpu["power"] is None:
        return None
    if old is None:
        return 0.0
    if gpu["energy"] is not None and old.get("energy") is not None and gpu["energy"] >= old["energy"]:
        return round(gpu["energy"] - old["energy"], 3)
    # No counter, or it began anew with the driver.
    powers = [line["power"] for line in (gpu, old) if line.get("power") is not None]
    return round(sum(powers) / len(powers) * seconds, 3) if powers else 0.0


def _thousandth(value: int | None) -> float | None:
    return None if value is None else value / 1000
