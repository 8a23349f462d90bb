"""Running checks: side by side, each with a time-out, none of them able to stop the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mlebench.doctor.finding import Finding, warning
from mlebench.errors import MlebenchError

Probe = Callable[[], Sequence[Finding]]
SECONDS = 2.5
"""How long a check may take that asks nobody outside of this machine."""


@dataclass(frozen=True)
class Check:
    """One thing to look at."""

    title: str
    probe: Probe
    seconds: float = SECONDS


def examine(checks: Sequence[Check]) -> list[Finding]:
    """Run all checks at once and return their findings in the order of the checks.

    A check that fails or takes too long is a finding too. Threads that hang (on a dead network disk, say) are left
    behind; they do not keep the process alive.
    """
    began = time.monotonic()
    results: list[list[Finding]] = [[] for _ in checks]
    threads = []
    for check, result in zip(checks, results, strict=True):
        thread = threading.Thread(target=_run, args=(check, result), daemon=True, name=f"doctor {check.title}")
        thread.start()
        threads.append(thread)
    findings = []
    for check, result, thread in zip(checks, results, threads, strict=True):
        thread.join(max(0.0, check.seconds - (time.monotonic() - began)))
        late = warning(
            check.title,
            f"no answer within {check.seconds:g} s",
            "see what it waits for: a disk, an engine or a network",
        )
        findings += [late] if thread.is_alive() else result
    return findings


def _run(check: Check, result: list[Finding]) -> None:
    try:
        found = list(check.probe())
    except Exception as error:
        said = str(error) if isinstance(error, MlebenchError) else f"{type(error).__name__}: {error}"
        found = [warning(check.title, f"could not be looked at ({said})", "tell us, this check should not fail")]
    result.extend(found)
