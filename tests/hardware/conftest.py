"""A fake NVML in place of the real one, and leases that stay in the test's folder."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fake_nvml import FakeGpu, FakeNvml

from mlebench.hardware import nvml


@pytest.fixture(autouse=True)
def _no_real_gpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("MLEBENCH_LEASES_DIR", str(tmp_path / "leases"))
    nvml.use(FakeNvml(init=12))
    yield
    nvml.use(None)


@pytest.fixture
def install() -> Callable[..., FakeNvml]:
    """Put cards into the machine."""

    def put(*cards: FakeGpu, **options: object) -> FakeNvml:
        fake = FakeNvml(*cards, **options)  # type: ignore[arg-type]
        nvml.use(fake)
        return fake

    return put
