"""Kaggle: who asks, what may be asked for, downloading, a contest's own pages and leaderboards.

The official client is imported only when a request is made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mlebench.data.kaggle.credentials import Credentials, find_credentials

if TYPE_CHECKING:
    from mlebench.data.kaggle.rules import RuleStatus

__all__ = ["Credentials", "check_rules", "find_credentials"]


def check_rules(ids: Sequence[str], *, tell: Callable[[str], None] = lambda _: None) -> list[RuleStatus]:
    """Whether each competition can be downloaded now (see `mlebench.data.kaggle.rules`)."""
    from mlebench.data.kaggle import rules

    return rules.check_rules(ids, tell=tell)
