"""Which Kaggle credentials there are, found in the order of the official client 2.2, never shown.

1. an access token: KAGGLE_API_TOKEN (the token, or the path of a file with it), ~/.kaggle/access_token(.txt)
2. an API key: KAGGLE_USERNAME and KAGGLE_KEY, else kaggle.json in KAGGLE_CONFIG_DIR, ~/.kaggle or ~/.config/kaggle
3. a sign-in made by `kaggle auth login`: ~/.kaggle/credentials.json

What is there but cannot be used is told only when nothing else can be: a machine may well hold a token that is fine
beside a file of another user. KAGGLE_API_TOKEN is the exception, since who sets it means it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from mlebench.errors import UsageError

TOKEN_PAGE = "https://www.kaggle.com/settings/api"
"""Where a token is made."""
HOW_TO = (
    f"make a token at {TOKEN_PAGE} and put it into ~/.kaggle/access_token (or the environment variable "
    "KAGGLE_API_TOKEN, or keep the older ~/.kaggle/kaggle.json)"
)
_SENDABLE = re.compile(r"[\x21-\x7e]+")
"""What can stand in a header, and all that Kaggle puts into tokens, keys and names."""


class CredentialKind(StrEnum):
    """How Kaggle is told who asks."""

    TOKEN = "access token"
    KEY = "API key"
    SIGN_IN = "sign-in"


@dataclass(frozen=True)
class Credentials:
    """What was found and where; the secret stays out of every text made of it."""

    kind: CredentialKind
    where: str
    """The environment variable or file, for people."""
    username: str | None = None
    secret: str = field(default="", repr=False)
    """The token or key; empty for a sign-in, whose token the client renews itself."""
    path: Path | None = None
    """The file they stand in; none for those of the environment."""

    def __str__(self) -> str:
        return f"{self.kind} from {self.where}"

    @property
    def renewal(self) -> str:
        """What to do when Kaggle refuses them."""
        if self.kind is CredentialKind.SIGN_IN:
            return f"run `kaggle auth login` again, or make a token at {TOKEN_PAGE}"
        return f"make a new one at {TOKEN_PAGE} and store it there"


def find_credentials() -> Credentials | None:
    """The credentials the official client would use, none when there are none; Kaggle is not asked.

    A UsageError names the variable or file when there are some and none of them can be used.
    """
    if (found := _token_of_environment()) is not None:
        return found
    complaint: UsageError | None = None
    ways: tuple[Callable[[], Credentials | None], ...] = (_token_of_file, _key, _sign_in)
    for way in ways:
        try:
            if (found := way()) is not None:
                return found
        except UsageError as error:
            complaint = complaint or error
    if complaint is not None:
        raise complaint
    return None


def _token_of_environment() -> Credentials | None:
    value = _bare(os.environ.get("KAGGLE_API_TOKEN", ""))
    if not value:
        return None
    if "/" not in value and not os.path.isfile(value):  # noqa: PTH113 (never raises, however long the value is)
        where = "the environment variable KAGGLE_API_TOKEN"
        return Credentials(CredentialKind.TOKEN, where, secret=_sendable(value, where))
    # No token holds a slash, so a path is meant. It is repeated only where something is there: then it is no secret.
    path = _expanded(Path(value))
    where = f"the file {path if os.path.exists(path) else ''} that KAGGLE_API_TOKEN names".replace("  ", " ")  # noqa: PTH110
    text = _read(path, where)
    if not text:
        raise UsageError(f"{_capital(where)} {'is empty' if text == '' else 'is not there'}: {HOW_TO}.")
    return Credentials(CredentialKind.TOKEN, where, secret=_sendable(text, where), path=path)


def _token_of_file() -> Credentials | None:
    for name in ("access_token", "access_token.txt"):
        path, where = _home() / ".kaggle" / name, f"~/.kaggle/{name}"
        if text := _read(path, where):
            return Credentials(CredentialKind.TOKEN, where, secret=_sendable(text, where), path=path)
    return None


def _key() -> Credentials | None:
    by_environment = {name: _bare(os.environ.get(f"KAGGLE_{name.upper()}", "")) for name in ("username", "key")}
    if all(by_environment.values()):
        where = "the environment variables KAGGLE_USERNAME and KAGGLE_KEY"
        return _key_of(by_environment, where, None)
    path = _config_dir() / "kaggle.json"
    where = str(path).replace(str(_home()), "~", 1)
    text = _read(path, where)
    if text is None and not any(by_environment.values()):
        return None
    stored: object = {}
    if text is not None:
        try:
            stored = json.loads(text)
        except (ValueError, RecursionError):
            stored = None
        if not isinstance(stored, dict):
            raise UsageError(f"{where} is no JSON object with username and key; {HOW_TO}.")
    both = {name: by_environment[name] or _text_of(stored, name) for name in by_environment}
    lacking = next((name for name, value in both.items() if not value), None)
    if lacking is not None and any(by_environment.values()):
        there = next(name for name, value in by_environment.items() if value)
        raise UsageError(
            f"KAGGLE_{there.upper()} is set without KAGGLE_{lacking.upper()}: set both or neither, or {HOW_TO}."
        )
    if lacking is not None:
        raise UsageError(f"{where} holds no {lacking} (a text); {HOW_TO}.")
    return _key_of(both, where, path)


def _key_of(both: dict[str, str], where: str, path: Path | None) -> Credentials:
    name, key = (_sendable(both[part], where) for part in ("username", "key"))
    return Credentials(CredentialKind.KEY, where, username=name, secret=key, path=path)


def _sign_in() -> Credentials | None:
    path, where = _home() / ".kaggle" / "credentials.json", "~/.kaggle/credentials.json"
    text = _read(path, where)
    if text is None:
        return None
    try:
        stored = json.loads(text)
    except (ValueError, RecursionError):
        stored = None
    if not isinstance(stored, dict) or not _text_of(stored, "refresh_token"):
        raise UsageError(f"{where} holds no sign-in that can be used: run `kaggle auth login` again, or {HOW_TO}.")
    return Credentials(CredentialKind.SIGN_IN, where, username=_text_of(stored, "username") or None, path=path)


def _config_dir() -> Path:
    if given := os.environ.get("KAGGLE_CONFIG_DIR"):
        return _expanded(Path(given))
    usual = _home() / ".kaggle"
    other = Path(os.environ.get("XDG_CONFIG_HOME") or _home() / ".config") / "kaggle"
    # os.path.exists, since a folder that may not be looked into is as good as none here; reading the file says why.
    if not os.path.exists(usual / "kaggle.json") and os.path.exists(other / "kaggle.json"):  # noqa: PTH110
        return other
    return usual


def _home() -> Path:
    """The user's home; a folder that is not there for a user without one (HOME unset, number not in passwd)."""
    try:
        return Path.home()
    except RuntimeError:
        return Path("/nonexistent")


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def _read(path: Path, where: str) -> str | None:
    """The bare text of a file, none when it is not there; a UsageError when it cannot be read."""
    try:
        return _bare(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UsageError(
            f"{_capital(where)} cannot be read ({error.strerror}): make it a file of yours with mode 600, or {HOW_TO}."
        ) from None
    except ValueError:  # no UTF-8, or a name that cannot be one; the text of the error may hold what was read
        raise UsageError(f"{_capital(where)} is no text in UTF-8; {HOW_TO}.") from None


def _text_of(stored: object, name: str) -> str:
    value = stored.get(name) if isinstance(stored, dict) else None
    return _bare(value) if isinstance(value, str) else ""


def _bare(text: str) -> str:
    """Without white space and byte order marks around it."""
    return text.strip().strip("\ufeff").strip()


def _sendable(text: str, where: str) -> str:
    """The text itself; a UsageError that does not repeat it when it cannot be sent."""
    if _SENDABLE.fullmatch(text):
        return text
    lines = len(text.splitlines()) > 1
    what = "more than one line stands there" if lines else "no token, key or name of Kaggle has such characters"
    raise UsageError(f"{_capital(where)} cannot be used, since {what}: store it once more, or {HOW_TO}.")


def _capital(where: str) -> str:
    return where[:1].upper() + where[1:]
