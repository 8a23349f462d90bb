"""Credentials: found in the client's own order, named, never shown."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from kaggle_server import Contest, FakeKaggle

from mlebench.data.kaggle import check_rules, find_credentials
from mlebench.data.kaggle.credentials import CredentialKind, Credentials
from mlebench.data.kaggle.errors import KaggleError, Problem, translate
from mlebench.doctor.access import kaggle_credentials
from mlebench.doctor.finding import Level
from mlebench.errors import UsageError


@pytest.fixture
def home() -> Path:
    folder = Path.home() / ".kaggle"
    folder.mkdir()
    return folder


def test_nothing_is_found_in_an_empty_home() -> None:
    assert find_credentials() is None


def test_the_order_is_the_clients(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "credentials.json").write_text(json.dumps({"refresh_token": "s3cret", "username": "ann"}))
    assert find_credentials().kind is CredentialKind.SIGN_IN
    (home / "kaggle.json").write_text(json.dumps({"username": "ann", "key": "s3cret"}))
    assert find_credentials().where == "~/.kaggle/kaggle.json"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kaggle.json").write_text(json.dumps({"username": "bob", "key": "s3cret"}))
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(elsewhere))
    assert find_credentials().username == "bob"
    monkeypatch.setenv("KAGGLE_USERNAME", "eve")
    monkeypatch.setenv("KAGGLE_KEY", "s3cret")
    assert (find_credentials().username, find_credentials().kind) == ("eve", CredentialKind.KEY)
    (home / "access_token.txt").write_text("s3cret")
    assert find_credentials().where == "~/.kaggle/access_token.txt"
    (home / "access_token").write_text("s3cret\n")
    assert find_credentials().where == "~/.kaggle/access_token" and find_credentials().secret == "s3cret"
    monkeypatch.setenv("KAGGLE_API_TOKEN", "s3cret" * 100)
    assert "KAGGLE_API_TOKEN" in find_credentials().where
    monkeypatch.setenv("KAGGLE_API_TOKEN", str(home / "access_token"))
    assert find_credentials().secret == "s3cret" and "access_token" in find_credentials().where
    assert "s3cret" not in f"{find_credentials()} {find_credentials()!r}"


def test_a_broken_file_is_named(home: Path) -> None:
    (home / "kaggle.json").write_text("{")
    with pytest.raises(UsageError, match=r"~/.kaggle/kaggle.json"):
        find_credentials()


SECRET = "s3cret-value"


@pytest.mark.parametrize("around", [f"{SECRET}\n", f"  {SECRET}\r\n", f"\ufeff{SECRET}", f"\ufeff {SECRET}\n\n"])
def test_white_space_and_a_byte_order_mark_around_a_token_do_not_count(
    home: Path, monkeypatch: pytest.MonkeyPatch, around: str
) -> None:
    (home / "access_token").write_text(around, encoding="utf-8")
    assert find_credentials().secret == SECRET
    monkeypatch.setenv("KAGGLE_API_TOKEN", around)
    assert find_credentials().secret == SECRET and "environment" in find_credentials().where


def test_a_blank_value_counts_as_absent(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KAGGLE_API_TOKEN", "KAGGLE_USERNAME", "KAGGLE_KEY"):
        monkeypatch.setenv(name, " \n")
    (home / "access_token").write_text("\n")
    assert find_credentials() is None


@pytest.mark.parametrize("value", [f"{SECRET}\nsecond", f"{SECRET}\r{SECRET}", f"{SECRET}\u2713", f"{SECRET} {SECRET}"])
@pytest.mark.parametrize("place", ["token", "token file", "key", "key file", "sign-in beside"])
def test_what_cannot_be_sent_is_refused_by_place_and_never_repeated(
    home: Path, monkeypatch: pytest.MonkeyPatch, value: str, place: str
) -> None:
    if place == "token":
        monkeypatch.setenv("KAGGLE_API_TOKEN", value)
        where = "KAGGLE_API_TOKEN"
    elif place == "token file":
        (home / "access_token").write_text(value, encoding="utf-8")
        where = "~/.kaggle/access_token"
    elif place == "key":
        monkeypatch.setenv("KAGGLE_USERNAME", "ann")
        monkeypatch.setenv("KAGGLE_KEY", value)
        where = "KAGGLE_USERNAME and KAGGLE_KEY"
    else:
        (home / "kaggle.json").write_text(json.dumps({"username": "ann", "key": value}))
        where = "~/.kaggle/kaggle.json"
    if place == "sign-in beside":
        (home / "credentials.json").write_text(json.dumps({"refresh_token": "x"}))
        assert find_credentials().kind is CredentialKind.SIGN_IN
        return
    with pytest.raises(UsageError) as told:
        find_credentials()
    assert where in str(told.value) and SECRET not in str(told.value) and "settings/api" in str(told.value)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("kaggle.json", b"", "no JSON object"),
        ("kaggle.json", b"[]", "no JSON object"),
        ("kaggle.json", b"{}", "holds no username"),
        ("kaggle.json", b'{"username": "ann"}', "holds no key"),
        ("kaggle.json", b'{"username": "ann", "key": 5}', "holds no key"),
        ("kaggle.json", '{"username": "ann", "key": "x"}'.encode("utf-16"), "no text in UTF-8"),
        ("access_token", b"\xff\xfegood", "no text in UTF-8"),
        ("credentials.json", b"{", "kaggle auth login"),
        ("credentials.json", b"[1]", "kaggle auth login"),
        ("credentials.json", b"", "kaggle auth login"),
    ],
)
def test_what_is_there_and_cannot_be_used_is_named(home: Path, name: str, content: bytes, words: str) -> None:
    (home / name).write_bytes(content)
    with pytest.raises(UsageError, match=words) as told:
        find_credentials()
    assert f"~/.kaggle/{name}" in str(told.value) and "settings/api" in str(told.value)
    finding = kaggle_credentials()[0]
    assert finding.level is Level.PROBLEM and name in finding.detail + finding.advice


@pytest.mark.parametrize("alone", ["KAGGLE_USERNAME", "KAGGLE_KEY"])
def test_half_a_key_is_named(home: Path, monkeypatch: pytest.MonkeyPatch, alone: str) -> None:
    monkeypatch.setenv(alone, SECRET)
    with pytest.raises(UsageError, match=f"{alone} is set without KAGGLE_") as told:
        find_credentials()
    assert SECRET not in str(told.value)
    (home / "kaggle.json").write_text(json.dumps({"username": "ann", "key": "x"}))
    assert find_credentials().kind is CredentialKind.KEY  # the client, too, takes the other half from the file


def test_a_path_is_never_sent_as_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").touch()
    for path, words in ((tmp_path / "gone", "is not there"), (tmp_path / "empty", "is empty"), (tmp_path, "read")):
        monkeypatch.setenv("KAGGLE_API_TOKEN", str(path))
        with pytest.raises(UsageError, match=f"KAGGLE_API_TOKEN names .*{words}"):
            find_credentials()
    (Path.home() / "token").write_text(SECRET)
    monkeypatch.setenv("KAGGLE_API_TOKEN", "~/token")
    assert find_credentials().secret == SECRET


def test_a_file_of_another_user_is_named_and_stands_in_nobodys_way(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, **_: object) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(UsageError, match=r"~/.kaggle/access_token cannot be read \(Permission denied\)"):
        find_credentials()
    monkeypatch.setenv("KAGGLE_USERNAME", "ann")
    monkeypatch.setenv("KAGGLE_KEY", "x")
    assert find_credentials().username == "ann"


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", lambda _: {}[0])
    assert find_credentials() is None and kaggle_credentials()[0].level is Level.WARNING
    monkeypatch.setenv("KAGGLE_API_TOKEN", SECRET)
    assert find_credentials().secret == SECRET


def test_the_doctor_sees_a_token_file_that_others_can_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "my token"
    path.write_text(SECRET)
    path.chmod(0o644)
    monkeypatch.setenv("KAGGLE_API_TOKEN", str(path))
    finding = kaggle_credentials()[0]
    assert finding.level is Level.WARNING and f"chmod 600 '{path}'" in finding.advice
    path.chmod(0o600)
    assert kaggle_credentials()[0].level is Level.OK


def test_errors_that_quote_what_was_sent_are_not_quoted() -> None:
    mine = Credentials(CredentialKind.TOKEN, "a test", secret=SECRET)
    told = translate(ValueError(f"Invalid header value b'Bearer {SECRET}'"), "toy", mine)
    assert SECRET not in str(told) and "ValueError" in str(told)


def test_a_storage_learns_nothing_and_a_netrc_is_not_used(kaggle: FakeKaggle, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = FakeKaggle().start()
    storage.contests["toy"] = Contest(b"content")
    kaggle.contests["toy"] = Contest(storage=storage.endpoint.replace("localhost", "127.0.0.1"))
    (Path.home() / ".netrc").write_text("machine 127.0.0.1 login leak password leak\n")
    try:
        assert check_rules(["toy"])[0].available
        assert storage.storage_headers and all("Authorization" not in one for one in storage.storage_headers)
    finally:
        storage.stop()


def test_a_sign_in_that_kaggle_refuses_or_the_client_cannot_read(kaggle: FakeKaggle, home: Path) -> None:
    os.environ.pop("KAGGLE_API_TOKEN")
    (home / "credentials.json").write_text(json.dumps({"refresh_token": SECRET}))
    with pytest.raises(KaggleError, match="kaggle auth login") as told:
        check_rules(["toy"])
    assert told.value.problem is Problem.REFUSED and SECRET not in str(told.value)
    damaged = {"refresh_token": SECRET, "access_token": "x", "access_token_expiration": "soon"}
    (home / "credentials.json").write_text(json.dumps(damaged))
    with pytest.raises(UsageError, match="kaggle auth login"):
        check_rules(["toy"])
    good = {
        "refresh_token": SECRET,
        "access_token": kaggle.token,
        "access_token_expiration": "2099-01-01T00:00:00+00:00",
    }
    (home / "credentials.json").write_text(json.dumps(good))
    kaggle.contests["toy"] = Contest(b"x")
    assert check_rules(["toy"])[0].available
