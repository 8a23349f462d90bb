"""Is a GPU fit for an attempt? Asked before each, so that a broken card costs nobody a day."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from mlebench.errors import HardwareError
from mlebench.hardware import nvml
from mlebench.hardware.asking import Question
from mlebench.hardware.inventory import GB, Inventory, used_bytes

FOREIGN_BYTES = 1 * GB
"""What others may hold of a GPU that an attempt is to have alone (a display, a monitor); more means it is in use."""
ANSWER_SECONDS = 10.0
"""How long a GPU may take to answer."""
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
        answer_seconds: float = ANSWER_SECONDS,
        fresh_seconds: float = FRESH_SECONDS,
    ) -> None:
        self._examine = examine
        self._answer_seconds = answer_seconds
        self._fresh_seconds = fresh_seconds
        self._lock = threading.Lock()
        self._questions: dict[tuple[str, bool], Question[str | None]] = {}

    def complaint(self, device: str, *, exclusive: bool) -> str | None:
        """What is wrong with a device, completing "GPU 3 ..."; None for a healthy one."""
        question = self.begin(device, exclusive=exclusive)
        if not question.wait(self._answer_seconds):
            return f"did not answer within {self._answer_seconds:g} s"
        try:
            return question.answer()
        except Exception as error:
            return f"could not be examined ({type(error).__name__}: {error})"

    def begin(self, device: str, *, exclusive: bool) -> Question[str | None]:
        """Start looking at a device, without waiting for what comes of it."""
        with self._lock:
            # A GPU that hangs is waited for by all who ask; nobody asks it a second time.
            question = self._questions.get((device, exclusive))
            if question is None or question.age > self._fresh_seconds:
                examine = partial(self._examine, device, exclusive=exclusive)
                question = self._questions[device, exclusive] = Question(examine, f"health of {device}")
            return question

    def forget(self, device: str) -> None:
        """Ask this device anew next time (an attempt on it has just ended)."""
        with self._lock:
            for key in [key for key, question in self._questions.items() if key[0] == device and not question.pending]:
                del self._questions[key]


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
