"""Sentences: each says what to do, none repeats what an exception's text may hold."""

from __future__ import annotations

import pytest
import requests
from kaggle_server import Contest, FakeKaggle

from mlebench.data.kaggle import check_rules
from mlebench.data.kaggle.errors import KaggleError, Problem, retry_after


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("5", 5),
        ("-5", 0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("garbage", None),
        ("nan", None),
        ("inf", None),
        ("1e15", None),
        ("1e400", None),
        ("Wed, 21 Oct 2099 07:28:00 GMT", None),
        ("99999999999999", None),
    ],
)
def test_waits_beyond_all_reason_are_no_waits(value: str, seconds: float | None) -> None:
    assert retry_after(value) == seconds


@pytest.mark.parametrize("status", [429, 503])
def test_the_wait_that_kaggle_asks_for_is_told(kaggle: FakeKaggle, status: int) -> None:
    kaggle.contests["toy"] = Contest(b"x")
    kaggle.failures = [(status, {"Retry-After": str(20 * 86_400)})]
    told = str(told_about(kaggle))
    assert "wait 20 days (until 2" in told and "same command again" in told


def told_about(kaggle: FakeKaggle) -> KaggleError | str:
    try:
        return check_rules(["toy"])[0].message
    except KaggleError as error:
        return error


@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        ("socks5://127.0.0.1:9", "pip install pysocks"),
        ("http://", "HTTPS_PROXY"),
        ("ftp://127.0.0.1:9", "HTTPS_PROXY"),
        ("http://user:secretpw@127.0.0.1:9", "HTTPS_PROXY"),
    ],
)
def test_a_proxy_that_cannot_be_used(kaggle: FakeKaggle, monkeypatch: pytest.MonkeyPatch, proxy: str, words) -> None:
    for name in ("NO_PROXY", "no_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", proxy)
    error = told_about(kaggle)
    assert isinstance(error, KaggleError) and error.for_all, error
    assert words in str(error) and "secretpw" not in str(error)


def test_certificates_that_are_not_there(kaggle: FakeKaggle, monkeypatch: pytest.MonkeyPatch) -> None:
    from kaggle_server import point_client_at

    point_client_at(kaggle.endpoint.replace("http:", "https:"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent.pem")
    error = told_about(kaggle)
    assert isinstance(error, KaggleError) and error.problem is Problem.TLS and "REQUESTS_CA_BUNDLE" in str(error)


@pytest.mark.parametrize(("status", "words"), [(407, "NAME:PASSWORD@HOST"), (302, "in a circle")])
def test_answers_of_what_stands_between(kaggle: FakeKaggle, status: int, words: str) -> None:
    headers = {"Location": "/api/v1/competitions.CompetitionApiService/DownloadDataFiles"} if status == 302 else {}
    kaggle.contests["toy"] = Contest(refuse=status, refuse_headers=headers)
    kaggle.contests[""] = kaggle.contests["toy"]
    assert words in str(told_about(kaggle))


def test_what_the_server_says_is_shown_without_its_signed_address(kaggle: FakeKaggle) -> None:
    kaggle.contests["toy"] = Contest(b"x", storage_refuse=418)
    told = str(told_about(kaggle))
    assert "418" in told and "signature" not in told


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_link_that_the_storage_refuses_may_be_better_next_time(kaggle: FakeKaggle, status: int) -> None:
    kaggle.contests["toy"] = Contest(b"x", storage_refuse=status)
    assert "refused its own link" in str(told_about(kaggle))


def test_an_unknown_error_is_named_by_its_kind_alone() -> None:
    from mlebench.data.kaggle.errors import translate

    told = translate(requests.exceptions.InvalidHeader("Bearer secret"), "toy", None)
    assert "InvalidHeader" in str(told) and "secret" not in str(told)
