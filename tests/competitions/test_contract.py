"""One contract over every competition: see mlebench/conformance/contract.py for what it asks."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import pytest

from mlebench.conformance.contract import CHECKS, Contract
from mlebench.registry import Registry

IDS = [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in Registry().ids()]
"""Grouped, so that with several workers each competition is prepared by one of them only."""


@pytest.fixture(scope="module")
def contract_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Contract]:
    """The contract of a competition; only the last one is kept, since tests come competition by competition."""

    @lru_cache(maxsize=1)
    def get(competition_id: str) -> Contract:
        return Contract(Registry().get(competition_id), tmp_path_factory.mktemp(competition_id))

    return get


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("competition_id", IDS)
def test_contract(contract_of: Callable[[str], Contract], competition_id: str, check: str) -> None:
    contract = contract_of(competition_id)
    CHECKS[check](contract)
    if check == "malformed_is_invalid":
        assert len(contract.malformed) >= 25, [name for name, _ in contract.malformed]
