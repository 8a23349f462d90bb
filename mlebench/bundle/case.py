"""What every check of a bundle looks at: the records of an attempt, parsed once."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from mlebench.bundle.environment import Environment
from mlebench.bundle.index import NotABundleError
from mlebench.bundle.logs import CHAINED, Log, Story, check_log, documents
from mlebench.bundle.source import Bundle
from mlebench.filenames import ENVIRONMENT_FILE, EVENTS_FILE
from mlebench.running.records import Attempt, RunConfig
from mlebench.sandbox.base import Network

MAX_RECORD_BYTES = 64 << 20


@dataclass(frozen=True)
class Case:
    """A bundle, and what its records say."""

    bundle: Bundle
    attempt: Attempt
    run: RunConfig
    environment: Environment | None
    logs: dict[str, Log]
    story: Story | None
    """None where the event log is missing or broken: then nothing is known of the order of events."""

    @property
    def network(self) -> Network:
        """What the run allowed."""
        return Network.parse(self.run.network)

    def document(self, name: str) -> Any:
        """A JSON file of the bundle; None where it is not there as sealed, or cannot be read."""
        path = self.bundle.path(name)
        if path is None or path.stat().st_size > MAX_RECORD_BYTES:
            return None
        try:
            return json.loads(path.read_bytes())
        except (ValueError, RecursionError):
            return None


def open_case(bundle: Bundle) -> Case:
    """Parse the records; NotABundleError where the index holds no attempt."""
    try:
        attempt = Attempt.model_validate(bundle.index.attempt)
        run = RunConfig.model_validate(bundle.index.run)
        Network.parse(run.network)
    except Exception as error:
        what = "; ".join(_complaints(error)) if isinstance(error, ValidationError) else str(error)
        raise NotABundleError(f"The attempt's record in bundle.json cannot be read ({what}).") from None
    logs = {name: log for name in CHAINED if (log := check_log(bundle, name)) is not None}
    events = bundle.path(EVENTS_FILE)
    whole = events is not None and logs[EVENTS_FILE].problem is None
    story = Story.of(documents(events)) if whole and events is not None else None
    case = Case(bundle, attempt, run, None, logs, story)
    return Case(bundle, attempt, run, _environment(case), logs, story)


def _environment(case: Case) -> Environment | None:
    try:
        return Environment.model_validate(case.document(ENVIRONMENT_FILE))
    except ValidationError:
        return None


def _complaints(error: ValidationError) -> Iterable[str]:
    return (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:3])
