"""Credentials: found in the client's own order, named, never shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlebench.data.kaggle import find_credentials
from mlebench.data.kaggle.credentials import CredentialKind
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
