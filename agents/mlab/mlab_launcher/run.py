"""From the environment to an outcome, with the scaffold's own runner in between."""

from __future__ import annotations

import os
import runpy
import shutil
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

from agentkit.chat import ChatModel
from agentkit.contract import Clock, OptionError, Surroundings, Watch
from agentkit.driving import drive

from mlab_launcher.mending import Mending
from mlab_launcher.models import Completions
from mlab_launcher.settings import Settings
from mlab_launcher.standins import install
from mlab_launcher.task import lay_out

SCAFFOLD = Path(os.environ.get("MLAB_HOME", "/opt/mlab"))
"""Where the image has MLAgentBench."""


class Launch:
    """The scaffold's own runner, mended."""

    def __init__(self, mending: Mending) -> None:
        self._mending = mending

    @property
    def steps(self) -> int:
        """Steps of the agent's loop so far."""
        return self._mending.steps

    def go(self) -> tuple[str, str | None]:
        """The scaffold's own entry point; what its agent's loop said at last."""
        runpy.run_module("MLAgentBench.runner", run_name="__main__", alter_sys=True)
        return self._mending.final or ("crashed", "The scaffold ended without saying how.")

    def close(self) -> None:
        """The scaffold's logs lie where they are kept; nothing is left to save."""


def prepare(around: Surroundings, settings: Settings, clock: Clock) -> Mending:
    """Everything up to the point where the scaffold's runner can be started."""
    if not (SCAFFOLD / "MLAgentBench" / "runner.py").is_file():
        raise OptionError("This agent runs in its own image; build it with `mlebench agents build mlab`.")
    chat = ChatModel.of(around, clock, timeout=settings.model_timeout, patience=settings.model_patience)
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


def begin(around: Surroundings, clock: Clock, watch: Watch) -> Launch:
    """The attempt's work, for agentkit.driving."""
    return Launch(prepare(around, Settings.read(around), clock))


def main() -> NoReturn:
    """Run the attempt and end the process."""
    drive(begin)
