"""The official client (kaggle 2.2 over kagglesdk), with what it lacks: time limits, a pace, ranges, one retry rule.

kagglesdk is used rather than the `kaggle` package over it: importing `kaggle` signs in at once, prints, and always
talks to production. Both are the same code path from the service class down.
"""

from __future__ import annotations

import base64
import random
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from mlebench import __version__
from mlebench.data.kaggle.credentials import CredentialKind, Credentials, find_credentials
from mlebench.data.kaggle.errors import AGAIN, KaggleError, Problem, no_credentials, no_zip, refused, translate
from mlebench.data.kaggle.watch import Stop
from mlebench.errors import UsageError

T = TypeVar("T")
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Patience:
    """How long to wait for Kaggle, in seconds."""

    connect: float = 15.0
    read: float = 60.0
    """Longest silence in the middle of an answer."""
    tries: int = 8
    """Tries without a single byte gained before giving up."""
    first_wait: float = 1.0
    """Doubled with every fruitless try, with as much again of jitter."""
    longest_wait: float = 60.0
    longest_asked: float = 600.0
    """A Retry-After beyond this is told to the user instead of waited for."""
    pace: float = 0.2
    """Least time between two requests of this process, so that many competitions do not end in a 429."""


PATIENCE = Patience()
HASTY_TRIES = 4


def hasty() -> Patience:
    """For questions whose answer somebody waits for: a network that is down is told soon."""
    return replace(PATIENCE, tries=min(HASTY_TRIES, PATIENCE.tries))


class Pace:
    """Keeps requests of all threads at least `interval` apart."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self, interval: float) -> None:
        """Sleep until it is this caller's turn."""
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + interval
        time.sleep(max(0.0, turn - now))


_pace = Pace()


@dataclass
class Stream:
    """An open answer to a download request."""

    response: Any
    start: int
    """The byte the answer begins with."""
    total: int | None
    """Size of the whole file."""
    validator: str | None
    """Strong ETag or Last-Modified: equal means the same file."""
    md5: str | None
    """md5 of the whole file, where the storage says so."""

    def read(self, size: int) -> bytes:
        """Up to `size` bytes as soon as some are there; empty at the end. Raises what urllib3 raises."""
        return self.response.raw.read1(size, decode_content=False)

    def abort(self) -> None:
        """End a read that another thread is waiting in."""
        self.response.raw.shutdown()

    def close(self) -> None:
        """Drop the connection, with whatever is unread."""
        self.response.close()


class Kaggle:
    """One connection to Kaggle, for one thread."""

    def __init__(
        self,
        credentials: Credentials | None = None,
        *,
        patience: Patience | None = None,
        stop: Stop | None = None,
        tell: Tell = lambda _: None,
    ) -> None:
        self.patience = patience or PATIENCE
        self.stop = stop or Stop()
        self.tell = tell
        found = credentials or find_credentials()
        if found is None:
            raise no_credentials()
        self.credentials = found
        self._client = _connect(found, self.patience)
        self.api = self._client.competitions.competition_api_client
        self._session = self._client.http_client()._session

    def call(self, competition: str, ask: Callable[[Any], T]) -> T:
        """`ask(api)`, tried again while the failure may pass; a KaggleError otherwise."""

        def once() -> T:
            _pace.wait(self.patience.pace)
            try:
                return ask(self.api)
            except Exception as error:
                raise translate(error, competition, self.credentials) from error

        return self.retry(once)

    def open(self, competition: str, start: int = 0, validator: str | None = None, end: int | None = None) -> Stream:
        """Ask once for the competition's zip from byte `start` on; the answer may start at 0 all the same.

        The range travels through Kaggle's redirect to the storage, so every try gets a fresh signed link.
        """
        from kagglesdk.competitions.types.competition_api_service import ApiDownloadDataFilesRequest

        request = ApiDownloadDataFilesRequest()
        request.competition_name = competition
        headers = {"Accept-Encoding": "identity"}
        if start or end is not None:
            headers["Range"] = f"bytes={start}-{'' if end is None else end}"
            if validator:
                headers["If-Range"] = validator
        _pace.wait(self.patience.pace)
        self._session.headers.update(headers)
        try:
            return _stream(self.api.download_data_files(request), competition)
        except Exception as error:
            if headers.get("Range") and getattr(getattr(error, "response", None), "status_code", 0) == 416:
                return self._open_whole(request, competition)
            raise translate(error, competition, self.credentials) from error
        finally:
            for name in ("Accept-Encoding", "Range", "If-Range"):
                self._session.headers.pop(name, None)

    def _open_whole(self, request: Any, competition: str) -> Stream:
        """The file became shorter than the range asked for: it is another one, to be had from its start."""
        for name in ("Range", "If-Range"):
            self._session.headers.pop(name, None)
        try:
            return _stream(self.api.download_data_files(request), competition)
        except Exception as error:
            raise translate(error, competition, self.credentials) from error

    def retry(self, once: Callable[[], T], fruitless: Callable[[int], int] = lambda tries: tries) -> T:
        """Call `once` until it succeeds, with exponential waits, jitter and Kaggle's own Retry-After.

        `fruitless` says how many of the tries so far gained nothing.
        """
        from tenacity import RetryCallState, Retrying, retry_if_exception

        def tries(state: RetryCallState) -> int:
            return fruitless(state.attempt_number)

        def wait(state: RetryCallState) -> float:
            return self._pause(_error_of(state), tries(state))

        def worthwhile(error: BaseException) -> bool:
            asked = error.wait if isinstance(error, KaggleError) else None
            return isinstance(error, KaggleError) and error.passing and (asked or 0) <= self.patience.longest_asked

        def told(state: RetryCallState) -> None:
            error, seconds = _error_of(state), state.next_action.sleep if state.next_action else 0.0
            if error is not None and (seconds >= 1 or tries(state) > 1):
                self.tell(f"{error.problem}, trying again in {seconds:.0f} s")

        def sleep(seconds: float) -> None:
            if self.stop.wait(seconds):
                raise stopped()

        return Retrying(
            retry=retry_if_exception(worthwhile),
            wait=wait,
            stop=lambda state: tries(state) >= self.patience.tries,
            sleep=sleep,
            before_sleep=told,
            reraise=True,
        )(once)

    def _pause(self, error: KaggleError | None, fruitless: int) -> float:
        jitter = random.uniform(0, self.patience.first_wait)
        if error is not None and error.wait is not None:
            return error.wait + jitter
        if fruitless == 0:
            return jitter
        return min(self.patience.longest_wait, self.patience.first_wait * 2 ** (fruitless - 1)) + jitter


def stopped() -> KaggleError:
    """The user asked to stop."""
    return KaggleError(Problem.STOPPED, "The download was stopped; run the same command again, it continues.")


def _error_of(state: Any) -> KaggleError | None:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, KaggleError) else None


def _connect(credentials: Credentials, patience: Patience) -> Any:
    import requests
    from kagglesdk import KaggleClient
    from requests.adapters import HTTPAdapter

    class Timely(HTTPAdapter):
        """Requests without a time limit get one: the client sets none."""

        def send(self, request: Any, *args: Any, **options: Any) -> requests.Response:
            options["timeout"] = options.get("timeout") or (patience.connect, patience.read)
            return super().send(request, *args, **options)

    def client() -> Any:
        # With a token, so that the client looks for none itself; who really asks is set below.
        made = KaggleClient(user_agent=f"mlebench/{__version__}", api_token="none")
        made.__enter__()
        session = made.http_client()._session
        session.auth = None
        for scheme in ("http://", "https://"):
            session.mount(scheme, Timely())
        session.rebuild_auth = partial(_leave_credentials_behind, session)
        return made

    try:
        made = client()
    except Exception as error:
        if "KAGGLE_API_ENVIRONMENT" in str(error):
            raise UsageError(
                "KAGGLE_API_ENVIRONMENT has a value that the kaggle client does not know; unset it."
            ) from None
        raise translate(error, "the sign-in", credentials) from error
    http = made.http_client()
    if credentials.kind is CredentialKind.KEY:
        http._session.auth = (credentials.username, credentials.secret)
    else:
        token = credentials.secret or _token_of_sign_in(made, credentials)
        http._session.auth = http.BearerAuth(token)
    return made


def _token_of_sign_in(client: Any, credentials: Credentials) -> str:
    """The access token of a stored sign-in, which the client renews when it is too old."""
    import requests
    from kagglesdk import KaggleCredentials

    try:
        stored = KaggleCredentials.load(client)
        token = stored.get_access_token() if stored else None
    except requests.exceptions.RequestException as error:
        status = 0 if error.response is None else error.response.status_code
        if status in (400, 401, 403):
            raise refused(credentials, status) from error
        raise translate(error, "the sign-in", credentials) from error
    except Exception:  # whatever the client makes of a damaged file; its words may hold what stands there
        token = None
    if not token:
        raise UsageError(f"The {credentials} cannot be used: {credentials.renewal}.") from None
    return str(token)


def _leave_credentials_behind(session: Any, prepared: Any, response: Any) -> None:
    """On the way to another host nobody is told who asks: neither by our credentials nor by those of a .netrc."""
    if "Authorization" in prepared.headers and session.should_strip_auth(response.request.url, prepared.url):
        del prepared.headers["Authorization"]


def _stream(response: Any, competition: str) -> Stream:
    headers = response.headers
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    strange = "" if response.status_code in (200, 206) else f"an answer {response.status_code}"
    if kind in ("text/html", "application/xhtml+xml", "application/json"):
        strange = "a web page" if kind != "application/json" else "a message"
    elif headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
        strange = f"a file packed once more ({headers['Content-Encoding'][:20]})"  # its ranges and md5 are of that
    if strange:
        response.close()
        raise no_zip(competition, strange)
    start, total = 0, None
    if response.status_code == 206:
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", headers.get("Content-Range", "").strip())
        if match is None:
            response.close()
            raise KaggleError(
                Problem.SERVER, f"Kaggle's storage sent a part of the file without saying which; {AGAIN}."
            )
        start = int(match[1])
        total = None if match[2] == "*" else int(match[2])
    elif headers.get("Content-Length", "").isdigit():
        total = int(headers["Content-Length"])
    etag = headers.get("ETag", "")
    validator = etag if etag and not etag.startswith("W/") else headers.get("Last-Modified")
    return Stream(response, start, total, validator, _stored_md5(headers.get("x-goog-hash", "")))


def _stored_md5(header: str) -> str | None:
    """md5 in hexadecimal out of the storage's x-goog-hash header (base64)."""
    match = re.search(r"md5=([A-Za-z0-9+/]{22}==)", header)
    return base64.b64decode(match[1]).hex() if match else None
