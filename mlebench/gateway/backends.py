"""The providers as the gateway's process holds them: addresses resolved, keys at hand."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlebench.errors import GatewayError
from mlebench.gateway.providers import SCRIPTED, SCRIPTED_URL, Provider, Providers, load_providers
from mlebench.gateway.refusal import Refusal
from mlebench.gateway.routes import Route
from mlebench.gateway.wire import Speech

USER_AGENT = "mlebench-gateway"


@dataclass(frozen=True)
class Backend:
    """One provider."""

    name: str
    provider: Provider
    secret: str | None
    missing: str | None
    """Why it cannot be asked, such as a missing key; None when it can."""
    variables: Mapping[str, str]

    def url(self, route: Route, model: str) -> str:
        """Where a request goes; GatewayError when the address needs a variable that is not set."""
        assert route.speech is not None
        path = route.suffix if not route.version else f"/{route.version}/models/{model}{route.suffix}"
        address = self.provider.address(route.speech, self.variables) + path
        return f"{address}?{route.query}" if route.query else address

    def headers(self, speech: Speech) -> dict[str, str]:
        """The provider's own headers and the key."""
        headers = dict(self.provider.headers)
        if self.secret is not None:
            style = self.provider.style(speech)
            headers["Authorization" if style == "bearer" else style] = (
                f"Bearer {self.secret}" if style == "bearer" else self.secret
            )
        return headers

    def scrub(self, text: bytes) -> bytes:
        """The text without the key, should the provider repeat it."""
        return text if self.secret is None else text.replace(self.secret.encode(), b"[key]")


class Backends:
    """All of them, as the launcher found them on the host when it started the process."""

    def __init__(self, providers: Providers, found: dict[str, Any]) -> None:
        """`found`: what `resolve` gave."""
        self._providers = providers
        self._found = found
        self.variables: dict[str, str] = dict(found["variables"])

    def __contains__(self, name: str) -> bool:
        return name in self._providers

    def get(self, name: str) -> Backend:
        """One provider; Refusal (for the agent) when it cannot be asked."""
        secret, missing = self._found["keys"].get(name), self._found["missing"].get(name)
        if name == SCRIPTED and not self.variables.get(SCRIPTED_URL):
            missing = "The agent has no scripted models."
        if missing is not None:
            raise Refusal(403, "provider_not_set_up", missing)
        return Backend(name, self._providers.get(name), secret, missing, self.variables)

    def scripted_at(self, url: str) -> None:
        """Say where the scripted server listens."""
        self.variables[SCRIPTED_URL] = url


def resolve(providers: Providers, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Keys and address variables of every provider, read from the host's environment and key files.

    The result holds secrets: it goes through a pipe to the gateway's process and nowhere else.
    """
    given = os.environ if environment is None else environment
    keys: dict[str, str] = {}
    missing: dict[str, str] = {}
    variables: dict[str, str] = {}
    for name in providers.names():
        provider = providers.get(name)
        variables |= {key: given[key] for key in provider.variables() if given.get(key)}
        try:
            secret = provider.secret(name, given)
            if secret is not None:
                keys[name] = secret
            for speech in provider.speaks:
                provider.address(speech, given)
        except GatewayError as problem:
            missing[name] = str(problem)
    variables.pop(SCRIPTED_URL, None)
    return {"keys": keys, "missing": missing, "variables": variables}


def open_backends(providers: Path | None, found: dict[str, Any]) -> Backends:
    """For the gateway's process: the providers files again, and what the launcher resolved."""
    return Backends(load_providers(providers), found)
