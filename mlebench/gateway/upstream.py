"""The way to the providers: one client for all doors, with the one rule for trying again."""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from mlebench.gateway.limits import MIB, Limits

_TRY_AGAIN = frozenset({429, 500, 502, 503, 504, 520, 522, 524, 529})
_HOPELESS = (b"insufficient_quota", b"billing_hard_limit", b"credit balance is too low")
_LARGEST_ERROR = MIB


class Unreachable(Exception):
    """No answer came: `status` and `code` for the agent, a sentence without addresses or keys."""

    def __init__(self, status: int, code: str, message: str, retries: int) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retries = retries


@dataclass
class Answered:
    """A provider's answer: its head has come, of an error (status 400 and above) also its body."""

    response: aiohttp.ClientResponse
    retries: int
    error: bytes = b""


@dataclass
class Upstream:
    """Sends requests; close it at the end."""

    limits: Limits
    _session: aiohttp.ClientSession | None = field(default=None, init=False)

    async def open(self) -> None:
        """Make the client."""
        timeout = aiohttp.ClientTimeout(
            total=self.limits.total_seconds,
            sock_connect=self.limits.connect_seconds,
            sock_read=self.limits.silence_seconds,
        )
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=ssl.create_default_context()),
            timeout=timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,  # it would read ~/.netrc as well; proxies are looked up below
            read_bufsize=2**18,
        )

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    async def ask(self, url: str, headers: dict[str, str], body: bytes, wanted: Callable[[], bool]) -> Answered:
        """Post a request until there is an answer that is not worth another try; Unreachable when none came.

        `wanted` says whether the agent still waits: for one that went away nothing is tried again.
        """
        started = time.monotonic()
        retries = 0
        while True:
            problem, answered, advised = None, None, None
            try:
                answered = await self._once(url, headers, body, retries)
                if not _worth_a_try(answered):
                    return answered
                advised = _advice(answered.response)
            except Unreachable as failure:
                problem = failure
            wait = self._wait(retries, time.monotonic() - started, advised)
            if wait is None or not wanted() or (problem is not None and problem.code != "provider_unreachable"):
                if answered is not None:
                    return answered
                assert problem is not None
                raise problem
            await asyncio.sleep(wait)
            retries += 1

    async def _once(self, url: str, headers: dict[str, str], body: bytes, retries: int) -> Answered:
        assert self._session is not None
        try:
            response = await self._session.post(
                url, data=body, headers=headers, allow_redirects=False, proxy=_proxy(url)
            )
            if response.status < 300:
                return Answered(response, retries)
            async with response:
                error = await response.content.read(_LARGEST_ERROR)
                while not response.content.at_eof() and len(error) < _LARGEST_ERROR:
                    error += await response.content.read(_LARGEST_ERROR - len(error))
            return Answered(response, retries, error)
        except aiohttp.ClientConnectorCertificateError:
            raise Unreachable(
                502, "provider_certificate", "The provider's certificate is not valid.", retries
            ) from None
        except aiohttp.ConnectionTimeoutError:
            raise Unreachable(
                504, "provider_unreachable", "The provider could not be reached in time.", retries
            ) from None
        except TimeoutError:
            raise Unreachable(504, "provider_timeout", "The provider did not answer in time.", retries) from None
        except (aiohttp.ClientError, OSError) as problem:
            message = f"The provider could not be reached ({type(problem).__name__})."
            raise Unreachable(502, "provider_unreachable", message, retries) from None

    def _wait(self, retries: int, waited: float, advised: float | None) -> float | None:
        """Seconds until the next try; None when there is to be none."""
        limits = self.limits
        if retries + 1 >= limits.tries:
            return None
        most = min(limits.backoff_seconds * 2**retries, limits.backoff_most_seconds)
        wait = most * random.uniform(0.5, 1.0)
        if advised is not None:
            wait = max(advised, wait * 0.5)
        return wait if waited + wait <= limits.retry_seconds else None


def _worth_a_try(answered: Answered) -> bool:
    response = answered.response
    if response.status not in _TRY_AGAIN or response.headers.get("x-should-retry", "").lower() == "false":
        return False
    return not any(word in answered.error for word in _HOPELESS)


def _advice(response: aiohttp.ClientResponse) -> float | None:
    """Seconds that the provider asks to wait."""
    given = response.headers.get("retry-after-ms")
    try:
        if given is not None:
            return max(float(given) / 1000, 0.0)
        given = response.headers.get("Retry-After")
        if given is None:
            return None
        if given.strip().replace(".", "", 1).isdigit():
            return float(given)
        return max(parsedate_to_datetime(given).timestamp() - time.time(), 0.0)
    except (ValueError, OverflowError):
        return None


def _proxy(url: str) -> str | None:
    """The proxy of the environment for this address; none for this machine itself."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in ("localhost", "127.0.0.1", "::1"):
        return None
    proxies = getproxies()
    return None if proxy_bypass(host) else proxies.get(parts.scheme) or proxies.get("all")
