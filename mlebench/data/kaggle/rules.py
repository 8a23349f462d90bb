"""May this account download these competitions? Asked before anything is downloaded, for all of them at once.

Each is asked for one byte of its zip, the very request that a download makes; so the answer is Kaggle's own, and
the size of the zip comes with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from mlebench.data.kaggle.client import Kaggle, Patience, Tell, hasty
from mlebench.data.kaggle.credentials import Credentials, find_credentials
from mlebench.data.kaggle.errors import KaggleError, Problem, closed, no_credentials, rules_page
from mlebench.data.kaggle.watch import Stop
from mlebench.data.kaggle.workers import Workers

WORKERS = 4


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
    ids: Sequence[str],
    *,
    credentials: Credentials | None = None,
    patience: Patience | None = None,
    tell: Tell = lambda _: None,
) -> list[RuleStatus]:
    """Ask Kaggle about each competition, some at a time, in the order given; `tell` hears what is waited for.

    Raises KaggleError for what stops all of them: no or refused credentials, no network.
    """
    found = credentials or find_credentials()
    if found is None:
        raise no_credentials()
    stop = Stop()

    def one(competition: str) -> RuleStatus:
        told = partial(_tell, tell, competition)
        return _status(Kaggle(found, patience=patience or hasty(), stop=stop, tell=told), competition)

    if not ids:
        return []
    first = one(ids[0])  # alone, so that a refused credential costs one request
    workers = Workers(WORKERS, "rules")
    try:
        answers = [workers.submit(one, competition) for competition in ids[1:]]
        return [first, *(answer.result() for answer in answers)]
    finally:
        stop.set()
        workers.leave(0)


def _tell(tell: Tell, competition: str, text: str) -> None:
    tell(f"{competition}: {text}")


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
