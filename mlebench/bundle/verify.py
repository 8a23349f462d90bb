"""Verifying a bundle: what holds of the attempt it tells of, what does not, and what cannot be shown."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from mlebench.bundle.case import open_case
from mlebench.bundle.claims import Claim, Topic, Verdict
from mlebench.bundle.counts import count_claims
from mlebench.bundle.fairness import fairness_claims
from mlebench.bundle.order import order_claims
from mlebench.bundle.regrade import grade_claims
from mlebench.bundle.source import open_bundle
from mlebench.bundle.whole import Expected, file_problems, whole_claims
from mlebench.data.paths import DataDir
from mlebench.registry import Registry

log = logging.getLogger(__name__)

TRUST = (
    "What is checked is a record, and the runner wrote it. A bundle shows that nobody changed it afterwards (against a "
    "digest published then), and that its parts do not contradict each other; it cannot show that the runner told the "
    "truth. Whoever controls the machine that ran it can forge all of it."
)
"""What a reader must know before relying on any of the claims."""


class Verification(BaseModel):
    """The result of verifying one bundle."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    bundle: str
    """Where it was found."""
    digest: str
    run: str
    attempt: str
    agent: str
    model: str | None
    end: str | None
    outcome: str | None
    score: float | None
    medal: str | None
    synthetic: bool = False
    """Whether it was graded on made-up data, where a medal means nothing."""
    problems: list[str]
    """Every file that was changed, added or is missing."""
    claims: list[Claim]
    trust: str = TRUST

    @property
    def failed(self) -> bool:
        """Whether any claim fails."""
        return any(claim.verdict is Verdict.FAILS for claim in self.claims)

    def count(self, verdict: Verdict) -> int:
        """How many claims have this verdict."""
        return sum(claim.verdict is verdict for claim in self.claims)


def _made(topic: Topic, make: Callable[[], list[Claim]]) -> list[Claim]:
    """The claims of a topic; what no runner writes (dates without a zone, words for numbers) fails instead of us."""
    try:
        return make()
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
        log.debug("a check of a bundle failed", exc_info=True)
        why = f"They hold what no runner writes ({type(error).__name__}: {str(error)[:200]})."
        claim = "Its records can be checked."
        return [Claim(key=f"readable_{topic.name.lower()}", topic=topic, claim=claim, verdict=Verdict.FAILS, why=why)]


def verify_bundle(
    path: Path,
    registry: Registry,
    data: DataDir | None = None,
    *,
    expected: Expected | None = None,
    name: str | None = None,
) -> Verification:
    """Check everything that a bundle can show. NotABundleError where there is none.

    `data`: prepared data with which the submission is graded again. `expected`: the digest it should have, from elsewhere.
    """
    with open_bundle(path) as bundle:
        case = open_case(bundle)
        problems = file_problems(bundle)
        claims: list[Claim] = []
        for topic, make in (
            (Topic.WHOLE, partial(whole_claims, case, problems, expected)),
            (Topic.ORDER, partial(order_claims, case)),
            (Topic.COUNTS, partial(count_claims, case)),
            (Topic.FAIRNESS, partial(fairness_claims, case)),
            (Topic.GRADE, partial(grade_claims, case, data, registry)),
        ):
            claims += _made(topic, make)
        grade = case.attempt.grade
        return Verification(
            bundle=name or str(path),
            digest=bundle.digest,
            run=case.run.name,
            attempt=case.attempt.id,
            agent=case.environment.agent.name if case.environment else case.run.agent,
            model=case.run.model,
            end=case.attempt.end.value if case.attempt.end else None,
            outcome=grade.outcome.value if grade else None,
            score=grade.score if grade else None,
            medal=grade.medal.value if grade and grade.medal else None,
            synthetic=grade is not None and grade.synthetic,
            problems=problems,
            claims=claims,
        )
