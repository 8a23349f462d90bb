"""One contract over every competition: see mlebench/conformance/contract.py for what it asks."""

from __future__ import annotations

import pytest

from mlebench.conformance.contract import CHECKS, Contract
from mlebench.registry import Registry

IDS = Registry().ids()


@pytest.fixture(scope="module")
def contracts(tmp_path_factory: pytest.TempPathFactory):
    made: dict[str, Contract] = {}

    def get(competition_id: str) -> Contract:
        if competition_id not in made:
            scratch = tmp_path_factory.mktemp(competition_id)
            made[competition_id] = Contract(Registry().get(competition_id), scratch)
        return made[competition_id]

    return get


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("competition_id", IDS)
def test_contract(contracts, competition_id: str, check: str) -> None:
    CHECKS[check](contracts(competition_id))


@pytest.mark.parametrize("competition_id", IDS)
def test_at_least_25_kinds_of_malformed_submission(contracts, competition_id: str) -> None:
    kinds = [name for name, _ in contracts(competition_id).malformed()]
    assert len(kinds) >= 25, kinds
