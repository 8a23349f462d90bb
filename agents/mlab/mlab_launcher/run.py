"""From the environment to an outcome, with the scaffold's own runner in between."""

from __future__ import annotations

import os
import runpy
import shutil
import sys
import tempfile
import traceback
from pathlib import Path
from typing import NoReturn

from agentkit.chat import ChatModel, ModelFailure
from agentkit.contract import Clock, Ended, OptionError, Surroundings, Watch, write_outcome
from agentkit.processes import adopt_orphans, end_descendants

from mlab_launcher.mending import Mending
from mlab_launcher.models import Completions
from mlab_launcher.settings import Settings
from mlab_launcher.standins import install
from mlab_launcher.task import lay_out

SCAFFOLD = Path(os.environ.get("MLAB_HOME", "/opt/mlab"))
"""Where the image has MLAgentBench."""


def prepare(around: Surroundings, settings: Settings, clock: Clock) -> Mending:
    """Everything up to the point where the scaffold's runner can be started by `go`."""
    if not (SCAFFOLD / "MLAgentBench" / "runner.py").is_file():
        raise OptionError("This agent runs in its own image; build it with `mlebench agents build mlab`.")
    chat = ChatModel(
        around.environment.get("OPENAI_BASE_URL", ""),
        around.environment.get("OPENAI_API_KEY", ""),
        clock,
        around.logs / "usage.jsonl",
        timeout=settings.model_timeout,
        patience=settings.model_patience,
    )
    install(Completions(chat, settings).create)
    top = Path(tempfile.mkdtemp(prefix="mlab-"))
    sys.path.insert(0, str(lay_out(SCAFFOLD, top / "scaffold", around, exec_timeout=settings.exec_timeout)))
    if (SCAFFOLD / "source.json").is_file():
        shutil.copyfile(SCAFFOLD / "source.json", around.logs / "mlab-source.json")
    sys.argv = ["runner", *settings.command_line(around, around.logs / "mlab", top / "work", clock.left())]
    os.chdir(top)

    def at_step(number: int) -> None:
        chat.step = number

    mending = Mending(around, settings, clock, at_step)
    mending.apply()
    return mending


def go() -> None:
    """The scaffold's own entry point."""
    runpy.run_module("MLAgentBench.runner", run_name="__main__", alter_sys=True)


def main() -> NoReturn:
    """Run the attempt and end the process."""
    logs, end, message = Path(os.environ.get("LOGS_DIR", "/home/logs")), "crashed", None
    watch: Watch | None = None
    mending: Mending | None = None
    try:
        adopt_orphans()
        around = Surroundings.read()
        logs = around.logs
        clock = Clock(around.time_limit)
        settings = Settings.read(around)
        watch = Watch(clock)
        watch.start()
        mending = prepare(around, settings, clock)
        go()
        end, message = mending.final or ("crashed", "The scaffold ended without saying how.")
    except OptionError as problem:
        message = str(problem)
    except Ended as ended:
        end, message = ended.end, str(ended)
    except ModelFailure as problem:
        end, message = "model_failure", str(problem)
    except (Exception, SystemExit) as problem:
        traceback.print_exc()
        message = f"{type(problem).__name__}: {problem}"
    if watch is not None:
        watch.stop()
    end_descendants()
    write_outcome(logs, end, message, mending.steps if mending is not None else 0)
    print(f"ended: {end}" + (f" ({message})" if message else ""), flush=True)
    sys.stderr.flush()
    os._exit(1 if end == "crashed" else 0)
