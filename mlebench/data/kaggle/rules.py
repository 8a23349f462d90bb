"""May this account download these competitions? Asked before anything is downloaded, for all of them at once.

Each is asked for one byte of its zip, the very request that a download makes; so the answer is Kaggle's own, and
the size of the zip comes with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from mlebench.data.kaggle import client
from mlebench.data.kaggle.client import Kaggle, Patience
from mlebench.data.kaggle.credentials import Credentials, find_credentials
from mlebench.data.kaggle.errors import KaggleError, Problem, closed, no_credentials, rules_page

WORKERS = 4
TRIES = 4
"""Somebody waits for the answer, so a network that is down is told soon."""


@dataclass(frozen=True)
class RuleStatus:
    """Whether one competition can be downloaded with these credentials."""

    competition: str
    problem: Problem | None
    """None: it can be downloaded now."""
    message: str
    """One sentence with what to do; empty when there is nothing to do."""
    page: str
    """The page to open."""
    bytes: int | None = None
    """Size of its zip, where Kaggle says so."""
    md5: str | None = None
    """md5 of its zip, where the storage says so."""

    @property
    def available(self) -> bool:
        """Whether it can be downloaded now."""
        return self.problem is None


def check_rules(
    ids: Sequence[str], *, credentials: Credentials | None = None, patience: Patience | None = None
) -> list[RuleStatus]:
    """Ask Kaggle about each competition, some at a time, in the order given.

    Raises KaggleError for what stops all of them: no or refused credentials, no network.
    """
    found = credentials or find_credentials()
    if found is None:
        raise no_credentials()

    patience = patience or client.PATIENCE
    patience = replace(patience, tries=min(TRIES, patience.tries))

    def one(competition: str) -> RuleStatus:
        return _status(Kaggle(found, patience=patience), competition)

    if not ids:
        return []
    first = one(ids[0])  # alone, so that a refused credential costs one request
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="rules") as pool:
        return [first, *pool.map(one, ids[1:])]


def _status(kaggle: Kaggle, competition: str) -> RuleStatus:
    page = rules_page(competition)
    try:
        stream = kaggle.retry(lambda: kaggle.open(competition, 0, end=0))
    except KaggleError as error:
        if error.for_all:
            raise
        error = explain_refusal(kaggle, competition, error)
        return RuleStatus(competition, error.problem, str(error), page)
    stream.close()
    return RuleStatus(competition, None, "", page, stream.total, stream.md5)


def explain_refusal(kaggle: Kaggle, competition: str, error: KaggleError) -> KaggleError:
    """Tell rules that can be accepted from a competition that nobody new may enter: a 403 says the same of both."""
    from kagglesdk.competitions.types.competition_api_service import ApiGetCompetitionRequest

    if error.problem is not Problem.RULES:
        return error
    request = ApiGetCompetitionRequest()
    request.competition_name = competition
    try:
        about = kaggle.call(competition, lambda api: api.get_competition(request))
    except KaggleError:
        return error
    return closed(competition) if about.submissions_disabled and not about.user_has_entered else error
