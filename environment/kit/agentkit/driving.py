"""From the environment to an outcome: what the main program of an agent does around its work.

Part of the agent kit (docs/agents.md): standard library only.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, Protocol

from agentkit.chat import BudgetExhausted, ModelFailure
from agentkit.contract import Clock, Ended, OptionError, Surroundings, Watch, write_outcome
from agentkit.processes import adopt_orphans, end_descendants


class Work(Protocol):
    """What an agent does with its attempt."""

    @property
    def steps(self) -> int:
        """Steps so far, in the agent's own sense."""
        ...

    def go(self) -> tuple[str, str | None]:
        """Work until it ends by itself: the outcome's `end` and a message."""
        ...

    def close(self) -> str | None:
        """Save what is there, however `go` ended; a sentence to be known of the submission, if there is one."""
        ...


def drive(begin: Callable[[Surroundings, Clock, Watch], Work]) -> NoReturn:
    """Run an attempt: limits and signals watched, the outcome written, every descendant ended; then end the process.

    The process goes by `os._exit`, whatever threads and children still want: with 1 after a crash, else with 0.
    """
    logs, end, message = Path(os.environ.get("LOGS_DIR", "/home/logs")), "crashed", None
    watch: Watch | None = None
    work: Work | None = None
    try:
        adopt_orphans()
        around = Surroundings.read()
        logs = around.logs
        clock = Clock(around.time_limit)
        watch = Watch(clock)
        watch.start()
        work = begin(around, clock, watch)
        end, message = work.go()
    except OptionError as problem:
        message = str(problem)
    except Ended as ended:
        end, message = ended.end, str(ended)
    except BudgetExhausted as refusal:
        end, message = "finished", f"The budget is used up: {refusal}"
    except ModelFailure as problem:
        end, message = "model_failure", str(problem)
    except (Exception, SystemExit) as problem:
        traceback.print_exc()
        message = f"{type(problem).__name__}: {problem}"
    if watch is not None:
        watch.stop()
    if work is not None:
        message = " ".join(part for part in (message, work.close()) if part) or None
    end_descendants()
    write_outcome(logs, end, message, work.steps if work is not None else 0)
    print(f"ended: {end}" + (f" ({message})" if message else ""), flush=True)
    sys.stderr.flush()
    os._exit(1 if end == "crashed" else 0)
