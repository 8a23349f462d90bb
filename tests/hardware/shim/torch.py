"""As much of PyTorch as scripts/check_gpu.py keeps a GPU busy with."""

import atexit
import os
import time
from pathlib import Path
from types import SimpleNamespace

float32 = "float32"
_busy = Path(os.environ["FAKE_BUSY"])


def ones(shape: object, dtype: str, device: str) -> object:
    assert device == "cuda" and os.environ["CUDA_VISIBLE_DEVICES"].startswith("GPU-")
    _busy.touch()
    atexit.register(lambda: _busy.unlink(missing_ok=True))
    return shape


def mm(one: object, two: object) -> object:
    time.sleep(0.01)
    return one


cuda = SimpleNamespace(synchronize=lambda: None)
