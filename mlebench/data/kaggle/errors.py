"""What can go wrong with Kaggle, each as one sentence with the page to open or the wait to make."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

from mlebench.data.kaggle.credentials import HOW_TO, TOKEN_PAGE, Credentials
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
    BAD_ANSWER = "unexpected answer"
    STOPPED = "stopped"


PASSING = {Problem.BUSY, Problem.SERVER, Problem.CUT, Problem.TIMEOUT, Problem.UNREACHABLE}
"""Problems that another try may solve."""


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


def translate(error: BaseException, competition: str, credentials: Credentials | None) -> KaggleError:
    """What the client or the network raised, as a sentence; a KaggleError stays as it is."""
    if isinstance(error, KaggleError):
        return error
    response = getattr(error, "response", None)
    if response is not None:
        return _by_status(response, str(error), competition, credentials)
    return _by_network(error)


def _by_status(response: Any, said: str, competition: str, credentials: Credentials | None) -> KaggleError:
    status = response.status_code
    if status == 401:
        who = f"the {credentials}" if credentials else "a request without credentials"
        return KaggleError(
            Problem.REFUSED, f"Kaggle refused {who} (401): make a new one at {TOKEN_PAGE} and store it there."
        )
    if status in (400, 403) and response.history:
        # A signed link of the storage, not Kaggle itself: the next try gets a fresh one.
        return KaggleError(
            Problem.SERVER, f"Kaggle's storage refused its own link for {competition} ({status}); {AGAIN}."
        )
    if status == 403:
        if "rules" in said.lower() and "accept" in said.lower():
            return not_accepted(competition)
        return KaggleError(
            Problem.FORBIDDEN,
            f"Kaggle refuses {competition} to this account (403: {_quoted(said)}): open {rules_page(competition)} while "
            "signed in and see what it asks for.",
        )
    if status == 404:
        return KaggleError(
            Problem.NOT_FOUND,
            f"Kaggle knows no {competition}, or no longer gives its files (404): look at "
            f"https://www.kaggle.com/competitions/{competition}/data; if it is gone, give somebody's download with "
            "--source FILE.zip.",
        )
    if status == 429:
        wait = retry_after(response.headers.get("Retry-After"))
        when = f"wait {_span(wait)} (until {_clock(wait)})" if wait is not None else "wait some minutes"
        return KaggleError(Problem.BUSY, f"Kaggle says too many requests (429): {when} and {AGAIN}.", wait=wait)
    if status >= 500:
        wait = retry_after(response.headers.get("Retry-After"))
        return KaggleError(
            Problem.SERVER,
            f"Kaggle's server fails ({status}): wait some minutes (https://status.kaggle.com says more) and {AGAIN}.",
            wait=wait,
        )
    return KaggleError(Problem.BAD_ANSWER, f"Kaggle answered {status} ({_quoted(said)}); {AGAIN}.")


def _by_network(error: BaseException) -> KaggleError:
    import requests
    from urllib3 import exceptions as urllib3

    text = str(error)
    if isinstance(error, requests.exceptions.SSLError | urllib3.SSLError) or "SSLError" in text:
        return KaggleError(
            Problem.TLS,
            "No secure connection to Kaggle could be made (its certificate was not accepted): check this machine's "
            "clock and proxy; behind an inspecting proxy name its certificates in REQUESTS_CA_BUNDLE.",
        )
    if isinstance(error, requests.exceptions.Timeout | urllib3.TimeoutError | TimeoutError) or "timed out" in text:
        return KaggleError(Problem.TIMEOUT, f"Kaggle stopped answering: check the network and {AGAIN}.")
    if isinstance(error, requests.exceptions.ProxyError):
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
        f"Kaggle's answer could not be understood by {client_versions()} ({type(error).__name__}: {_quoted(text)}); "
        "wait some minutes, and if it stays so update the kaggle package.",
    )


def client_versions() -> str:
    """The official client, as people would name it in a bug report."""
    from importlib.metadata import version

    return f"kaggle {version('kaggle')} (kagglesdk {version('kagglesdk')})"


def retry_after(value: str | None) -> float | None:
    """Seconds of a Retry-After header: a number, or a date; none when absent or unreadable."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def _quoted(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 200 else line[:200] + "..."


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"


def _clock(seconds: float) -> str:
    return f"{datetime.now() + timedelta(seconds=seconds):%H:%M}"
