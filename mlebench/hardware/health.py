"""Is a GPU fit for an attempt? Asked before each, so that a broken card costs nobody a day."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from mlebench.errors import HardwareError
from mlebench.hardware import nvml
from mlebench.hardware.inventory import GB, Inventory, used_bytes

FOREIGN_BYTES = 1 * GB
"""What others may hold of a GPU that an attempt is to have alone (a display, a monitor); more means it is in use."""
ANSWER_SECONDS = 10.0
"""How long a GPU may take to answer: a broken one can hang whoever asks it, for ever."""
FRESH_SECONDS = 5.0
"""How long a verdict holds. Runners ask several times a second while they wait for a GPU."""


def complaint(device: str, *, exclusive: bool = True) -> str | None:
    """What is wrong with a GPU or MIG device, completing "GPU 3 ..."; None for a healthy one. May hang with the GPU."""
    try:
        handle = nvml.handle_of(device)
        parent = (
            nvml.ask("nvmlDeviceGetDeviceHandleFromMigDeviceHandle", handle) if device.startswith("MIG-") else handle
        )
        parent = handle if parent is None else parent
        return _memory_errors(parent) or _too_hot(parent) or (_in_use(handle) if exclusive else None)
    except nvml.DeviceFaultError as error:
        return str(error)
    except HardwareError as error:
        return f"cannot be asked: {error}"


def examine_gpus(
    inventory: Inventory, *, exclusive: bool = False, answer_seconds: float = ANSWER_SECONDS
) -> dict[int, str | None]:
    """A verdict for each GPU's index: what is wrong (completing "GPU 3 ..."), or None. All are asked at once."""
    health = Health(answer_seconds=answer_seconds)
    ids = {gpu.index: gpu.uuid for gpu in inventory.gpus if gpu.uuid and not gpu.fault}
    for uuid in ids.values():
        health.begin(uuid, exclusive=exclusive)
    told = {gpu.index: gpu.fault or "does not tell its id" for gpu in inventory.gpus if gpu.index not in ids}
    return told | {index: health.complaint(uuid, exclusive=exclusive) for index, uuid in ids.items()}


class Health:
    """Verdicts that are kept a few seconds, and a time limit for GPUs that hang. Thread-safe."""

    def __init__(
        self,
        examine: Callable[..., str | None] = complaint,
        answer_seconds: float | None = None,
        fresh_seconds: float | None = None,
    ) -> None:
        self._examine = examine
        self._answer_seconds = ANSWER_SECONDS if answer_seconds is None else answer_seconds
        self._fresh_seconds = FRESH_SECONDS if fresh_seconds is None else fresh_seconds
        self._lock = threading.Lock()
        self._questions: dict[tuple[str, bool], _Question] = {}

    def complaint(self, device: str, *, exclusive: bool) -> str | None:
        """What is wrong with a device, completing "GPU 3 ..."; None for a healthy one."""
        return self.begin(device, exclusive=exclusive).answer(self._answer_seconds)

    def begin(self, device: str, *, exclusive: bool) -> _Question:
        """Start looking at a device, without waiting for what comes of it."""
        with self._lock:
            # A GPU that hangs is waited for by all who ask; nobody asks it a second time.
            question = self._questions.get((device, exclusive))
            if question is None or question.age() > self._fresh_seconds:
                question = self._questions[device, exclusive] = _Question(self._examine, device, exclusive)
            return question

    def forget(self, device: str) -> None:
        """Ask this device anew next time (an attempt on it has just ended)."""
        with self._lock:
            for key in [key for key, question in self._questions.items() if key[0] == device and question.over()]:
                del self._questions[key]


class _Question:
    """One examination, in a thread that may be left behind."""

    def __init__(self, examine: Callable[..., str | None], device: str, exclusive: bool) -> None:
        self._verdict: str | None = None
        self._answered = threading.Event()
        self._began = time.monotonic()
        self._ended = float("inf")
        threading.Thread(
            target=self._ask, args=(examine, device, exclusive), daemon=True, name=f"health of {device}"
        ).start()

    def answer(self, seconds: float) -> str | None:
        if self._answered.wait(max(0.0, self._began + seconds - time.monotonic())):
            return self._verdict
        return f"did not answer within {seconds:g} s"

    def over(self) -> bool:
        return self._answered.is_set()

    def age(self) -> float:
        """Seconds since the answer; less than 0 while there is none."""
        return time.monotonic() - self._ended

    def _ask(self, examine: Callable[..., str | None], device: str, exclusive: bool) -> None:
        try:
            self._verdict = examine(device, exclusive=exclusive)
        except Exception as error:
            self._verdict = f"could not be examined ({type(error).__name__}: {error})"
        self._ended = time.monotonic()
        self._answered.set()


def _memory_errors(handle: object) -> str | None:
    rows = nvml.ask("nvmlDeviceGetRemappedRows", handle)
    if rows is not None and rows[3]:
        return "has broken memory that it could not replace (a row remapping failed); it has to be exchanged"
    if rows is not None and rows[2]:
        return "has memory errors that wait for a reset to be mended (rows to remap are pending)"
    if nvml.ask("nvmlDeviceGetRetiredPagesPendingStatus", handle):
        return "has memory errors that wait for a reboot to be mended (pages to retire are pending)"
    errors = nvml.ask("nvmlDeviceGetTotalEccErrors", handle, 1, 0)  # uncorrected, since the driver was loaded
    if errors:
        return f"had {errors} uncorrected memory error{'' if errors == 1 else 's'} since its last reset"
    return None


def _too_hot(handle: object) -> str | None:
    temperature = nvml.ask("nvmlDeviceGetTemperature", handle, 0)
    slowdown = nvml.ask("nvmlDeviceGetTemperatureThreshold", handle, 1)
    if temperature is not None and slowdown:
        if temperature >= slowdown:
            return f"is too hot: {temperature} °C, it slows down at {slowdown} °C"
        return None
    margin = nvml.ask("nvmlDeviceGetMarginTemperature", handle)
    if margin is not None and margin <= 0:
        return "is so hot that it slows down"
    return None


def _in_use(handle: object) -> str | None:
    used = used_bytes(handle)
    if used is None or used <= FOREIGN_BYTES:
        return None
    return f"is used by somebody else: {used / GB:.1f} GB of its memory are taken"
