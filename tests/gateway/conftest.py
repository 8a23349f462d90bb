"""A gateway in front of a scripted provider, as a run has it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlebench.gateway.launcher import Gateway
from mlebench.scripted.thread import serve_in_thread

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode leaves helpers beside the tests to us

from gateway_world import PATIENCE, RULES, SECRETS, Attempt, World, providers_file


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("gateway")
    prices = folder / "prices.toml"
    prices.write_text('[prices."openai/demo"]\ninput = 10000\noutput = 20000\ncached = 1000\n')
    scripts = folder / "scripts"
    scripts.mkdir()
    (scripts / "demo.json").write_text(json.dumps({"rules": RULES}))
    with pytest.MonkeyPatch.context() as patch, serve_in_thread({"demo": {"rules": RULES}}) as provider:
        for name, value in SECRETS.items():
            patch.setenv(name, value)
        patch.delenv("NOKEY_API_KEY", raising=False)
        own = providers_file(folder / "providers.toml", provider.url)
        with Gateway(folder / "run", providers=own, prices=prices, scripts=scripts, limits=PATIENCE) as gateway:
            yield World(folder, provider, gateway)


@pytest.fixture
def attempt(world: World) -> Iterator[Attempt]:
    admitted = world.admit()
    yield admitted
    world.gateway.dismiss(admitted.ticket.attempt)
