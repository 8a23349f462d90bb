"""A Kaggle on this machine for every test here, talked to by the real client."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlebench.data.kaggle import client

_path = Path(__file__).parents[2] / "kaggle_server.py"
if "kaggle_server" not in sys.modules:
    _spec = importlib.util.spec_from_file_location("kaggle_server", _path)
    assert _spec and _spec.loader
    sys.modules["kaggle_server"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["kaggle_server"])

from kaggle_server import FakeKaggle, point_client_at  # noqa: E402


@pytest.fixture(autouse=True)
def _no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home without credentials, whatever this machine has."""
    for name in ("KAGGLE_API_TOKEN", "KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_CONFIG_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))


@pytest.fixture
def kaggle(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKaggle]:
    """The server, credentials it accepts, and little patience."""
    server = FakeKaggle().start()
    monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "TEST")
    monkeypatch.setenv("KAGGLE_API_TOKEN", server.token)
    point_client_at(server.endpoint)
    impatient = client.Patience(connect=1, read=1, tries=4, first_wait=0.01, longest_wait=0.05, pace=0)
    monkeypatch.setattr(client, "PATIENCE", impatient)
    yield server
    server.stop()
