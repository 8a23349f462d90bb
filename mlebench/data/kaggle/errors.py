"""What can go wrong with Kaggle, each as one sentence with the page to open or the wait to make."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

from mlebench.data.kaggle.credentials import HOW_TO, Credentials
from mlebench.errors import DataError

AGAIN = "run the same command again, what is here is kept"


class Problem(StrEnum):
    """Why Kaggle did not give what was asked."""

    NO_CREDENTIALS = "no credentials"
    REFUSED = "credentials refused"
    RULES = "rules not accepted"
    CLOSED = "closed to new entrants"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not found"
    BUSY = "too many requests"
    SERVER = "server error"
    CUT = "connection cut"
    TIMEOUT = "time-out"
    UNREACHABLE = "unreachable"
    TLS = "no secure connection"
    PROXY = "proxy"
    BAD_ANSWER = "unexpected answer"
    STOPPED = "stopped"


PASSING = {Problem.BUSY, Problem.SERVER, Problem.CUT, Problem.TIMEOUT, Problem.UNREACHABLE}
"""Problems that another try may solve."""
FOR_ALL = {
    *(Problem.NO_CREDENTIALS, Problem.REFUSED, Problem.TLS, Problem.PROXY),
    *(Problem.UNREACHABLE, Problem.BUSY, Problem.TIMEOUT),
}
"""Problems that are the same for every competition, so that one sentence is enough."""
_LONGEST = 30 * 86_400.0
"""Seconds; a Retry-After beyond is a mistake of the server's."""
_ADDRESS = re.compile(r"( for url:)? ?https?://\S+")


class KaggleError(DataError):
    """Kaggle did not give what was asked; `problem` is the code, the message the sentence."""

    def __init__(self, problem: Problem, message: str, *, wait: float | None = None) -> None:
        super().__init__(message)
        self.problem = problem
        self.wait = wait
        """Seconds that Kaggle asks to wait (Retry-After), where it does."""

    @property
    def passing(self) -> bool:
        """Whether another try may succeed."""
        return self.problem in PASSING

    @property
    def for_all(self) -> bool:
        """Whether other competitions would be answered the same."""
        return self.problem in FOR_ALL


def rules_page(competition: str) -> str:
    """Where the rules of a competition are accepted."""
    return f"https://www.kaggle.com/competitions/{competition}/rules"


def no_credentials() -> KaggleError:
    """Nothing was found by `find_credentials`."""
    return KaggleError(
        Problem.NO_CREDENTIALS, f"Kaggle wants to know who downloads, and no credentials are here: {HOW_TO}."
    )


def not_accepted(competition: str) -> KaggleError:
    """A 403 because of the rules."""
    return KaggleError(
        Problem.RULES,
        f"The rules of {competition} are not accepted yet: open {rules_page(competition)}, accept them (Kaggle may ask "
        "for a phone-verified account), and run the same command again.",
    )


def closed(competition: str) -> KaggleError:
    """A 403 that this account cannot lift: nobody new may enter."""
    return KaggleError(
        Problem.CLOSED,
        f"{competition} takes no new entrants and this account has not entered it: see whether "
        f"{rules_page(competition)} still offers a button; if not, leave it out (--skip-unavailable) or give somebody's "
        "download with --source FILE.zip.",
    )


def refused(credentials: Credentials | None, status: int) -> KaggleError:
    """Kaggle knows the credentials no more, or never did."""
    if credentials is None:
        return KaggleError(Problem.REFUSED, f"Kaggle refused a request without credentials ({status}): {HOW_TO}.")
    return KaggleError(Problem.REFUSED, f"Kaggle refused the {credentials} ({status}): {credentials.renewal}.")


def no_zip(competition: str, what: str) -> KaggleError:
    """An answer that cannot be the competition's zip."""
    return KaggleError(
        Problem.BAD_ANSWER,
        f"Instead of the zip of {competition} came {what}: something between Kaggle and this machine answers in its "
        "place (a proxy, or the sign-in page of a network); see what a browser here shows for "
        f"https://www.kaggle.com/competitions/{competition}/data, and {AGAIN}.",
    )


def translate(error: BaseException, competition: str, credentials: Credentials | None) -> KaggleError:
    """What the client or the network raised, as a sentence; a KaggleError stays as it is."""
    if isinstance(error, KaggleError):
        return error
    response = getattr(error, "response", None)
    if response is not None:
        return _by_status(error, response, competition, credentials)
    return _by_network(error)


def _by_status(error: BaseException, response: Any, competition: str, credentials: Credentials | None) -> KaggleError:
    import requests

    status, said = response.status_code, _quoted(str(error), credentials)
    if isinstance(error, requests.exceptions.TooManyRedirects):
        return KaggleError(
            Problem.BAD_ANSWER,
            f"Asking for {competition} is redirected in a circle: something between Kaggle and this machine (a proxy, or "
            f"the sign-in page of a network) answers in its place; check that, and {AGAIN}.",
        )
    if status in (400, 401, 403) and response.history:
        # A signed link of the storage, not Kaggle itself: the next try gets a fresh one.
        return KaggleError(
            Problem.SERVER, f"Kaggle's storage refused its own link for {competition} ({status}); {AGAIN}."
        )
    if status == 401:
        return refused(credentials, status)
    if status == 403:
        if "rules" in said.lower() and "accept" in said.lower():
            return not_accepted(competition)
        return KaggleError(
            Problem.FORBIDDEN,
            f"Kaggle refuses {competition} to this account (403: {said}): open {rules_page(competition)} while "
            "signed in and see what it asks for.",
        )
    if status == 404:
        return KaggleError(
            Problem.NOT_FOUND,
            f"Kaggle knows no {competition}, or no longer gives its files (404): look at "
            f"https://www.kaggle.com/competitions/{competition}/data; if it is gone, give somebody's download with "
            "--source FILE.zip.",
        )
    if status == 407:
        return _proxy_asks_who()
    wait = retry_after(response.headers.get("Retry-After"))
    when = f"wait {_span(wait)} (until {_clock(wait)})" if wait is not None else "wait some minutes"
    if status == 429:
        return KaggleError(Problem.BUSY, f"Kaggle says too many requests (429): {when} and {AGAIN}.", wait=wait)
    if status >= 500:
        return KaggleError(
            Problem.SERVER,
            f"Kaggle's server fails ({status}): {when} and {AGAIN} (https://status.kaggle.com says more).",
            wait=wait,
        )
    return KaggleError(Problem.BAD_ANSWER, f"Kaggle answered {status} ({said}); {AGAIN}.")


def _proxy_asks_who() -> KaggleError:
    return KaggleError(
        Problem.PROXY,
        "The proxy wants to know who asks (407): put name and password into HTTPS_PROXY, as "
        f"http://NAME:PASSWORD@HOST:PORT, and {AGAIN}.",
    )


def _by_network(error: BaseException) -> KaggleError:
    """By the kind of error; its text is looked at and never repeated, since it may hold addresses with passwords."""
    import requests
    from urllib3 import exceptions as urllib3

    text = str(error)
    if isinstance(error, requests.exceptions.InvalidSchema) and "SOCKS" in text:
        return KaggleError(
            Problem.PROXY,
            "The proxy named in HTTPS_PROXY (or ALL_PROXY) is a SOCKS proxy, for which a package is missing: run "
            f"`pip install pysocks`, and {AGAIN}.",
        )
    if isinstance(
        error,
        requests.exceptions.InvalidProxyURL | requests.exceptions.InvalidURL | urllib3.ProxySchemeUnknown
        | urllib3.LocationValueError | requests.exceptions.InvalidSchema,
    ):  # fmt: skip
        return KaggleError(
            Problem.PROXY,
            f"HTTPS_PROXY (or HTTP_PROXY, ALL_PROXY) names no proxy: write it as http://HOST:PORT or unset it, and {AGAIN}.",
        )
    if "TLS CA certificate bundle" in text:
        return KaggleError(
            Problem.TLS,
            "REQUESTS_CA_BUNDLE (or CURL_CA_BUNDLE) names a file that is not there: name the file with the certificates "
            f"or unset it, and {AGAIN}.",
        )
    if isinstance(error, requests.exceptions.SSLError | urllib3.SSLError) or "SSLError" in text:
        return KaggleError(
            Problem.TLS,
            "No secure connection to Kaggle could be made (its certificate was not accepted): check this machine's "
            "clock and proxy; behind an inspecting proxy name its certificates in REQUESTS_CA_BUNDLE.",
        )
    if isinstance(error, requests.exceptions.Timeout | urllib3.TimeoutError | TimeoutError) or "timed out" in text:
        return KaggleError(Problem.TIMEOUT, f"Kaggle stopped answering: check the network and {AGAIN}.")
    if isinstance(error, requests.exceptions.ProxyError):
        if "407" in text:
            return _proxy_asks_who()
        return KaggleError(
            Problem.UNREACHABLE, f"The proxy named in HTTPS_PROXY does not answer: check it and {AGAIN}."
        )
    cut = ("IncompleteRead", "Connection aborted", "Connection broken", "reset by peer", "RemoteDisconnected")
    if isinstance(error, urllib3.ProtocolError | ConnectionResetError | BrokenPipeError) or any(x in text for x in cut):
        return KaggleError(Problem.CUT, f"The connection to Kaggle was cut again and again: {AGAIN}.")
    if isinstance(error, requests.exceptions.ConnectionError | OSError) and not isinstance(error, ValueError):
        return KaggleError(
            Problem.UNREACHABLE, f"Kaggle cannot be reached from here: check the network (or HTTPS_PROXY) and {AGAIN}."
        )
    return KaggleError(
        Problem.BAD_ANSWER,
        f"Kaggle's answer could not be understood by {client_versions()} ({type(error).__name__}); wait some minutes, "
        "and if it stays so update the kaggle package.",
    )


def client_versions() -> str:
    """The official client, as people would name it in a bug report."""
    from importlib.metadata import version

    return f"kaggle {version('kaggle')} (kagglesdk {version('kagglesdk')})"


def retry_after(value: str | None) -> float | None:
    """Seconds of a Retry-After header: a number, or a date; none when absent, unreadable or beyond all reason."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        except (TypeError, ValueError, OverflowError):
            return None
    return max(0.0, seconds) if seconds <= _LONGEST else None


def _quoted(text: str, credentials: Credentials | None) -> str:
    """What the server said, in one line: without addresses, which may be signed, and without what we sent it."""
    line = " ".join(_ADDRESS.sub("", text).split())
    if credentials is not None and credentials.secret:
        line = line.replace(credentials.secret, "...")
    return line if len(line) <= 200 else line[:200] + "..."


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 2 * 86_400 else f"{seconds / 86_400:.0f} days"


def _clock(seconds: float) -> str:
    then = datetime.now() + timedelta(seconds=seconds)
    return f"{then:%H:%M}" if seconds < 86_400 / 2 else f"{then:%Y-%m-%d %H:%M}"
