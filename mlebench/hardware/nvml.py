"""The one door to NVIDIA's management library: loaded when first asked, every error turned into a sentence or None."""

from __future__ import annotations

import importlib
import os
import threading
from typing import Any

from mlebench.errors import HardwareError

BINDING = "pynvml"
"""The module of the package nvidia-ml-py."""

_NOT_TOLD = {2, 3, 4, 6, 12, 13, 20, 22, 25, 26}
"""Return codes that say "this question has no answer here" (invalid argument, not supported, no permission, not found,
library or function not found, memory, ECC of a vGPU, version mismatch, deprecated): no fault of the device."""
_BEGIN_ANEW = {1, 9, 18}
"""Not initialised, driver not loaded, driver of another version: it was reloaded since, so the library is as well."""
_NO_LIBRARY, _NO_DRIVER, _MISMATCH, _NO_PERMISSION, _LOST, _RESET = 12, 9, 18, 4, 15, 16

_lock = threading.Lock()
_replacement: Any = None
_ready: tuple[int, Any] | None = None
"""Process id and binding that are initialised; a forked child starts its own."""


class DeviceFaultError(Exception):
    """A device answered in a way that no healthy one does; the text completes "GPU 3 ..."."""


def use(binding: Any) -> None:
    """Take this object for the binding (None: the real one again). The only seam for tests."""
    global _replacement, _ready
    with _lock:
        _replacement, _ready = binding, None


def library() -> Any:
    """The initialised binding. HardwareError says in one sentence why no GPU can be asked."""
    global _ready
    with _lock:
        if _ready is not None and _ready[0] == os.getpid():
            return _ready[1]
        try:
            binding = _replacement if _replacement is not None else importlib.import_module(BINDING)
        except ImportError:
            raise HardwareError("GPUs cannot be looked at: install the Python package nvidia-ml-py.") from None
        try:
            binding.nvmlInit()
        except binding.NVMLError as error:
            raise HardwareError(_why_not(error)) from None
        _ready = os.getpid(), binding
        return binding


def ask(function: str, *args: Any) -> Any:
    """The answer of an nvml* function, or None where this device, driver or user gets none.

    Raises DeviceFaultError when the device itself fails, HardwareError when there is no library.
    """
    binding = library()
    call = getattr(binding, function, None)
    if call is None:
        return None
    try:
        return call(*args)
    except binding.NVMLError as error:
        if error.value in _NOT_TOLD:
            return None
        if error.value in _BEGIN_ANEW:
            _forget()
        raise DeviceFaultError(fault(error)) from None


def _forget() -> None:
    global _ready
    with _lock:
        _ready = None


def handle_of(device: str) -> Any:
    """NVML's handle for GPU-<uuid> or MIG-<uuid>. Raises DeviceFaultError when it is gone."""
    handle = ask("nvmlDeviceGetHandleByUUID", device)
    if handle is None:
        raise DeviceFaultError("is not on this machine any more")
    return handle


def text(value: Any) -> str | None:
    """A name as text: older bindings answer bytes."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def fault(error: Any) -> str:
    """What an error of a device means, as the end of a sentence that begins with its name."""
    if error.value == _LOST:
        return "has fallen off the bus"
    if error.value == _RESET:
        return "needs a reset"
    return f"does not answer ({str(error).rstrip('.')})"


def _why_not(error: Any) -> str:
    if error.value == _NO_LIBRARY:
        return "No GPU can be used: there is no NVIDIA driver on this machine."
    if error.value == _NO_DRIVER:
        return "No GPU can be used: the NVIDIA driver is installed but not loaded."
    if error.value == _MISMATCH:
        return "No GPU can be used: the NVIDIA driver was updated while it was loaded; reboot, or reload the driver."
    if error.value == _NO_PERMISSION:
        return "No GPU can be used: this user may not open the NVIDIA devices (/dev/nvidia*)."
    return f"No GPU can be used: the NVIDIA driver does not answer ({str(error).rstrip('.')})."
