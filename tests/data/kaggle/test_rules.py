"""Rules: every competition is asked about before anything is downloaded, each refusal gets its page."""

from __future__ import annotations

import pytest
from kaggle_server import RULES_MESSAGE, Contest, FakeKaggle, point_client_at

from mlebench.data.kaggle import check_rules
from mlebench.data.kaggle.errors import KaggleError, Problem


def test_each_refusal_is_told_apart_and_nothing_is_downloaded(kaggle: FakeKaggle) -> None:
    kaggle.contests = {
        "open": Contest(b"x" * 1000),
        "unaccepted": Contest(refuse=403, message=RULES_MESSAGE),
        "closed": Contest(refuse=403, message=RULES_MESSAGE, late_submissions=False),
        "denied": Contest(refuse=403, message="Permission was denied"),
    }
    statuses = check_rules([*kaggle.contests, "gone"])
    assert [one.competition for one in statuses] == [*kaggle.contests, "gone"]
    problems = [one.problem for one in statuses]
    assert problems == [None, Problem.RULES, Problem.CLOSED, Problem.FORBIDDEN, Problem.NOT_FOUND]
    assert statuses[0].bytes == 1000 and statuses[0].available
    assert all(one.page in one.message for one in statuses[1:4])
    assert "Permission was denied" in statuses[3].message and "/data" in statuses[4].message
    assert not kaggle.wire


def test_a_refused_credential_costs_one_request(kaggle: FakeKaggle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_API_TOKEN", "s3cret")
    with pytest.raises(KaggleError) as told:
        check_rules(["a", "b", "c"])
    assert told.value.problem is Problem.REFUSED and kaggle.calls.total() == 1
    assert "KAGGLE_API_TOKEN" in str(told.value) and "s3cret" not in str(told.value)


def test_an_api_key_signs_in_as_well(kaggle: FakeKaggle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    monkeypatch.setenv("KAGGLE_USERNAME", "someone")
    monkeypatch.setenv("KAGGLE_KEY", kaggle.token)
    kaggle.contests["open"] = Contest(b"x")
    assert check_rules(["open"])[0].available


def test_no_credentials(kaggle: FakeKaggle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    with pytest.raises(KaggleError, match="settings/api"):
        check_rules(["a"])


@pytest.mark.parametrize(("endpoint", "problem"), [("http://localhost:1", Problem.UNREACHABLE), ("https", Problem.TLS)])
def test_no_network_and_no_secure_connection(kaggle: FakeKaggle, endpoint: str, problem: Problem) -> None:
    point_client_at(kaggle.endpoint.replace("http:", "https:") if endpoint == "https" else endpoint)
    with pytest.raises(KaggleError) as told:
        check_rules(["a"])
    assert told.value.problem is problem


def test_an_unintelligible_answer(kaggle: FakeKaggle) -> None:
    kaggle.contests["odd"] = Contest(refuse=418, message="<html>no</html>")
    status = check_rules(["odd"])[0]
    assert status.problem is Problem.BAD_ANSWER and "418" in status.message
