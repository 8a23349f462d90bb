"""The search loop: one script after the other until steps, time, budget or model end it; then everything is saved."""

from __future__ import annotations

import random
import tempfile
import time
import traceback
from pathlib import Path
from typing import NoReturn

from agentkit.chat import BudgetExhausted, ChatModel, ModelFailure, PromptTooLong, RequestRefused
from agentkit.contract import Clock, Surroundings, Watch
from agentkit.driving import drive

from aide_driver.best import Keeper
from aide_driver.model import Backend
from aide_driver.settings import Settings
from aide_driver.task_text import task_text

_SHORTEST_STEP = 3.0
"""With fewer seconds left no step is begun."""
_FAILED_STEPS = 3
"""So many failed steps in a row end the run: AIDE, or the model, will not get over it."""


class Search:
    """AIDE's parts, put together for this attempt."""

    def __init__(self, around: Surroundings, settings: Settings, clock: Clock, watch: Watch) -> None:
        # Importing AIDE takes seconds; until here bad options have been found without.
        import aide.backend
        from aide.utils.config import _load_cfg, prep_agent_workspace, prep_cfg
        from omegaconf import OmegaConf

        from aide_driver.record import Record
        from aide_driver.scaffold import BoundedInterpreter, BoundedJournal, DrivenAgent

        self._around, self._clock = around, clock
        random.seed(around.seed)
        top = Path(tempfile.mkdtemp(prefix="aide-"))
        cfg = _load_cfg(use_cli_args=False)
        for key, value in settings.overrides(around, str(top / "workspaces"), str(top / "logs")).items():
            OmegaConf.update(cfg, key, value)
        cfg = prep_cfg(cfg)
        try:
            prep_agent_workspace(cfg)
        except Exception as problem:  # an archive that AIDE cannot unpack stays one; the data itself is linked first
            print(f"AIDE's preparation of the workspace failed: {type(problem).__name__}: {problem}", flush=True)
        self._chat = ChatModel.of(around, clock, timeout=settings.model_timeout, patience=settings.model_patience)
        query = Backend(self._chat, settings).query
        for provider in aide.backend.provider_to_query_func:
            aide.backend.provider_to_query_func[provider] = query
        self._keeper = Keeper(around, top / "kept")
        self._journal = BoundedJournal()
        self._journal.memory_chars = settings.memory_chars
        text = task_text(around, exec_timeout=settings.exec_timeout)
        self._agent = DrivenAgent(
            text, cfg, self._journal, settings=settings, clock=clock, watch=watch, keeper=self._keeper
        )
        self._interpreter = BoundedInterpreter(
            cfg.workspace_dir,
            watch=watch,
            timeout=cfg.exec.timeout,
            format_tb_ipython=cfg.exec.format_tb_ipython,
            agent_file_name=cfg.exec.agent_file_name,
        )
        self._record = Record(around.logs / "aide", cfg, self._journal)

    @property
    def steps(self) -> int:
        """Scripts so far."""
        return len(self._journal)

    def go(self) -> tuple[str, str | None]:
        """Search until something ends it; returns the end and a message. Ended and ModelFailure pass through."""
        failed = 0
        while True:
            if self._around.step_limit is not None and self.steps >= self._around.step_limit:
                return "out_of_steps", None
            if self._clock.left() < _SHORTEST_STEP:
                return "out_of_time", "The time limit is near."
            started = time.monotonic()
            self._chat.step = self.steps
            try:
                self._agent.time_for_script(self._interpreter)
                self._agent.step(exec_callback=self._execute)
            except (BudgetExhausted, ModelFailure):
                raise
            except Exception as problem:
                self._agent.forget_failed_step()
                if isinstance(problem, PromptTooLong) and self._journal.shorten():
                    continue
                traceback.print_exc()
                failed += 1
                if failed >= _FAILED_STEPS:
                    if isinstance(problem, RequestRefused):
                        raise ModelFailure(str(problem)) from None
                    raise
                continue
            failed = 0
            best = self._keeper.best
            self._record.step(time.monotonic() - started, None if best is None else best.step)
            self._record.save()
            self._say(best.value if best is not None else None)

    def close(self) -> str | None:
        """Stop what runs and save what is there; says what is to be known of the submission."""
        self._interpreter.cleanup_session()
        self._agent.forget_failed_step()
        self._record.save(last=True)
        if self._keeper.best is not None:
            return None
        return "No script was found good" + (
            "; the newest file that one left is handed in." if self._keeper.provisional else "."
        )

    def _execute(self, code: str, reset_session: bool = True):  # type: ignore[no-untyped-def]
        self._agent.before_script()
        self._agent.time_for_script(self._interpreter)
        return self._interpreter.run(code, reset_session)

    def _say(self, best: float | None) -> None:
        node = self._journal.nodes[-1]
        result = f"{node.exc_type or 'buggy'}" if node.is_buggy else f"metric {node.metric.value:g}"
        print(f"step {node.step} ({node.stage_name}): {result}; best so far: {best}", flush=True)


def begin(around: Surroundings, clock: Clock, watch: Watch) -> Search:
    """The attempt's work, for agentkit.driving."""
    return Search(around, Settings.read(around), clock, watch)


def main() -> NoReturn:
    """Run the attempt and end the process."""
    drive(begin)
