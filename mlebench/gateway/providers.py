"""Who serves models, and where: providers.toml, with a file of the user's own on top."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator

from mlebench.errors import GatewayError, UsageError
from mlebench.gateway.wire import Speech
from mlebench.toml import TomlFacts

BUILTIN = Path(__file__).with_name("providers.toml")
SCRIPTED = "scripted"
"""The provider whose server the gateway starts itself."""
SCRIPTED_URL = "MLEBENCH_SCRIPTED_URL"
"""The variable in its addresses."""

KeyStyle = Literal["bearer", "x-api-key", "x-goog-api-key", "api-key"]
_OWN_STYLE: dict[str, KeyStyle] = {"openai": "bearer", "anthropic": "x-api-key", "gemini": "x-goog-api-key"}
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


class Provider(TomlFacts):
    """One provider."""

    title: str = ""
    keys: list[str] = []
    """Environment variables that may hold the key; the first one that is set is used."""
    key_file: str | None = None
    """A file with nothing but the key; only its owner may have rights to it."""
    key: Literal["required", "optional", "none"] = "required"
    prices: str | None = None
    """The provider's name in the price table; left out: its own name."""
    free: bool = False
    """Every model costs nothing, such as those that run on the user's own machine."""
    speaks: dict[Speech, str] = Field(min_length=1)
    """Base address of each protocol it offers."""
    auth: dict[Speech, KeyStyle] = {}
    """How a protocol's key is handed over, where it is not the protocol's own way."""
    headers: dict[str, str] = {}
    """Sent with every request."""
    stream_usage: bool = True
    """Whether chat streams may be asked for their usage (stream_options); false where it comes anyhow."""

    @field_validator("speaks")
    @classmethod
    def _addresses(cls, value: dict[Speech, str]) -> dict[Speech, str]:
        for address in value.values():
            if not address.startswith(("https://", "http://", "${")):
                raise ValueError(f"{address!r} is no http address")
        return value

    def address(self, speech: Speech, environment: Mapping[str, str]) -> str:
        """The protocol's base address without a slash at its end; GatewayError when a variable of it is not set."""

        def value(found: re.Match[str]) -> str:
            given = environment.get(found[1]) or found[2]
            if not given:
                raise GatewayError(f"The provider's address needs the environment variable {found[1]}.")
            return given.rstrip("/")

        address = _VARIABLE.sub(value, self.speaks[speech]).rstrip("/")
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise GatewayError(f"{address!r} is not the address of a provider: it has to be http(s)://HOST/PATH.")
        return address

    def variables(self) -> set[str]:
        """Environment variables that its addresses name."""
        return {found[1] for address in self.speaks.values() for found in _VARIABLE.finditer(address)}

    def style(self, speech: Speech) -> KeyStyle:
        """How the key is handed over."""
        return self.auth.get(speech, _OWN_STYLE[speech.family])

    def secret(self, name: str, environment: Mapping[str, str]) -> str | None:
        """The key, or None where none is needed; GatewayError (which never holds it) when there is none."""
        if self.key == "none":
            return None
        found = next((environment[key] for key in self.keys if environment.get(key)), None)
        if found is None and self.key_file is not None:
            found = _read_key(Path(self.key_file).expanduser())
        if found is None:
            if self.key == "optional":
                return None
            wanted = " or ".join(self.keys) or "key_file in the providers file"
            raise GatewayError(f"The provider {name} needs a key: set {wanted}.")
        found = found.strip()
        if not found or not found.isascii() or not found.isprintable():
            raise GatewayError(f"The key of the provider {name} is not a line of printable ASCII characters.")
        return found


class _File(TomlFacts):
    providers: dict[str, Provider]


class Providers:
    """All providers by name."""

    def __init__(self, providers: Mapping[str, Provider]) -> None:
        self._providers = dict(providers)

    def __contains__(self, name: str) -> bool:
        return name in self._providers

    def names(self) -> list[str]:
        """Every name, sorted."""
        return sorted(self._providers)

    def get(self, name: str) -> Provider:
        """One provider; UsageError that lists the known ones."""
        if name not in self._providers:
            raise UsageError(
                f"There is no provider {name!r}: use {', '.join(self.names())}, or add it with --providers."
            )
        return self._providers[name]


def split_reference(reference: str) -> tuple[str, str]:
    """Provider and the model's name there, from `provider/name`; UsageError for anything else."""
    provider, slash, name = reference.partition("/")
    if not slash or not provider or not name or not reference.isprintable() or any(map(str.isspace, reference)):
        raise UsageError(f"{reference!r} is not a model: write provider/name, such as openai/gpt-4.1 or scripted/demo.")
    return provider, name


def load_providers(own: Path | None = None) -> Providers:
    """The built-in providers and those of the user's file; UsageError with the name of file and key."""
    raw = _read(BUILTIN)
    if own is not None:
        for name, facts in _read(own).items():
            if not _NAME.fullmatch(name):
                raise UsageError(
                    f"{own}: {name!r} cannot be a provider's name: use lower-case letters, digits, - and _."
                )
            known = raw.get(name, {})
            raw[name] = {**known, **facts} if isinstance(facts, dict) else facts
    try:
        return Providers(_File.model_validate({"providers": raw}).providers)
    except ValidationError as problem:
        first = problem.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        complaint = "there is no such key" if first["type"] == "extra_forbidden" else first["msg"]
        raise UsageError(f"{own or BUILTIN}, key {key}: {complaint}.") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise UsageError(f"The providers file {path} cannot be read: {problem.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise UsageError(f"{path} is not valid TOML: {problem}.") from None
    unknown = set(values) - {"providers"}
    if unknown or not isinstance(values.get("providers", {}), dict):
        raise UsageError(f"{path} may hold tables [providers.NAME] only.")
    return dict(values.get("providers", {}))


def _read_key(path: Path) -> str:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode) or mode & 0o077:
                raise GatewayError(f"The key file {path} is open to others: chmod 600 it.")
            return file.read(65536).decode("ascii", "replace")
    except OSError as problem:
        raise GatewayError(f"The key file {path} cannot be read: {problem.strerror}.") from None
