"""Which Kaggle credentials there are, found in the order of the official client 2.2, never shown.

1. an access token: KAGGLE_API_TOKEN (the token, or the path of a file with it), ~/.kaggle/access_token(.txt)
2. an API key: KAGGLE_USERNAME and KAGGLE_KEY, else kaggle.json in KAGGLE_CONFIG_DIR, ~/.kaggle or ~/.config/kaggle
3. a sign-in made by `kaggle auth login`: ~/.kaggle/credentials.json
"""

from __future__ import annotations

import json
import os
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

    def __str__(self) -> str:
        return f"{self.kind} from {self.where}"


def find_credentials() -> Credentials | None:
    """The credentials the official client would use, none when there are none; Kaggle is not asked."""
    return _token() or _key() or _sign_in()


def _token() -> Credentials | None:
    value = os.environ.get("KAGGLE_API_TOKEN", "")
    if value:
        text = _read(Path(value)) if _is_file(value) else None
        if text:
            return Credentials(CredentialKind.TOKEN, f"the file {value} that KAGGLE_API_TOKEN names", secret=text)
        if text is None:
            return Credentials(CredentialKind.TOKEN, "the environment variable KAGGLE_API_TOKEN", secret=value)
    for name in ("access_token", "access_token.txt"):
        if text := _read(Path.home() / ".kaggle" / name):
            return Credentials(CredentialKind.TOKEN, f"~/.kaggle/{name}", secret=text)
    return None


def _key() -> Credentials | None:
    path = _config_dir() / "kaggle.json"
    shown = str(path).replace(str(Path.home()), "~", 1)
    stored: dict[str, object] = {}
    if text := _read(path):
        try:
            stored = dict(json.loads(text))
        except (ValueError, TypeError):
            raise UsageError(f"{shown} is no JSON object with username and key; {HOW_TO}.") from None
    user = os.environ.get("KAGGLE_USERNAME") or stored.get("username")
    key = os.environ.get("KAGGLE_KEY") or stored.get("key")
    if not (isinstance(user, str) and isinstance(key, str) and user and key):
        return None
    by_environment = os.environ.get("KAGGLE_USERNAME") and os.environ.get("KAGGLE_KEY")
    where = "the environment variables KAGGLE_USERNAME and KAGGLE_KEY" if by_environment else shown
    return Credentials(CredentialKind.KEY, where, username=user, secret=key)


def _sign_in() -> Credentials | None:
    try:
        stored = json.loads(_read(Path.home() / ".kaggle" / "credentials.json") or "{}")
    except ValueError:
        return None
    if not isinstance(stored, dict) or not stored.get("refresh_token"):
        return None
    return Credentials(CredentialKind.SIGN_IN, "~/.kaggle/credentials.json", username=stored.get("username"))


def _config_dir() -> Path:
    if given := os.environ.get("KAGGLE_CONFIG_DIR"):
        return Path(given).expanduser()
    usual = Path.home() / ".kaggle"
    if (usual / "kaggle.json").exists():
        return usual
    other = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "kaggle"
    return other if (other / "kaggle.json").exists() else usual


def _is_file(value: str) -> bool:
    try:
        return Path(value).is_file()
    except OSError:  # a token that is too long for a path
        return False


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
