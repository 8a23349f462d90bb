"""AIDE's classes with what a benchmark needs: bounded steps, prompts that agree with reality, submissions watched."""

from __future__ import annotations

import importlib.metadata
import random
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import aide.utils.data_preview
from agentkit.contract import Clock, Stuck, Watch
from agentkit.processes import end_descendants
from agentkit.task_sheet import spoken
from aide.agent import Agent
from aide.interpreter import ExecutionResult, Interpreter
from aide.journal import Journal, Node
from aide.utils.metric import MetricValue, WorstMetricValue

from aide_driver.best import Keeper
from aide_driver.output import DrainedQueue, PatientEvents
from aide_driver.preview import data_preview
from aide_driver.settings import Settings
from aide_driver.task_text import SUBMISSION

_OUTPUT_CHARS = 20_000
"""Of what a script prints so much is kept: AIDE's prompts use 5,000, but keep all of it in memory and in the journal."""
_AFTER_TIMEOUT = 12.0
"""AIDE needs so many seconds at most to stop a script whose time is over."""
_STUCK_AFTER = 180.0
"""So long after its time limit a script's end is not waited for any longer."""
_PREVIEW_SECONDS = 300.0
_PACKAGES = [
    "numpy",
    "pandas",
    "scikit-learn",
    "scipy",
    "statsmodels",
    "xgboost",
    "lightgbm",
    "catboost",
    "torch",
    "torchvision",
    "torch-geometric",
    "timm",
    "transformers",
    "tensorflow",
    "keras",
    "bayesian-optimization",
    "optuna",
    "pillow",
    "opencv-python",
    "scikit-image",
    "librosa",
    "nltk",
    "spacy",
]


class BoundedJournal(Journal):
    """A journal whose summary in prompts does not outgrow the model: the best nodes and the newest are kept."""

    memory_chars = 200_000

    def generate_summary(self, include_code: bool = False) -> str:
        """AIDE's summary of all good nodes where that fits."""
        whole: str = super().generate_summary(include_code)
        if len(whole) <= self.memory_chars:
            return whole
        nodes = sorted(self.good_nodes, key=lambda node: node.step, reverse=True)
        best = self.get_best_node()
        nodes = [best, *(node for node in nodes if node is not best)] if best is not None else nodes
        kept: list[Node] = []
        for node in nodes:
            trial = Journal(nodes=sorted([*kept, node], key=lambda one: one.step))
            if len(trial.generate_summary(include_code)) > self.memory_chars:
                break
            kept.append(node)
        return str(Journal(nodes=sorted(kept, key=lambda one: one.step)).generate_summary(include_code))

    def shorten(self) -> bool:
        """Halve the summary for a model that cannot read it; False where there is none to shorten."""
        length = min(self.memory_chars, len(super().generate_summary()))
        self.memory_chars = length // 2
        return length > 0


class BoundedInterpreter(Interpreter):
    """Runs scripts as AIDE does; whatever a script does to itself, there is a result in time and nothing left behind."""

    def __init__(self, *args: Any, watch: Watch, **options: Any) -> None:
        super().__init__(*args, **options)
        self._watch = watch

    def child_proc_setup(self, result_outq: Any) -> None:
        """In the child: the driver's signal handlers are not the script's."""
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        super().child_proc_setup(result_outq)

    def create_process(self) -> None:
        """With an output that is read while it is written, and a start that may be slow on a busy machine."""
        super().create_process()
        process = self.process
        self.result_outq = DrainedQueue(self.result_outq, _OUTPUT_CHARS)
        self.event_outq = PatientEvents(self.event_outq, lambda: bool(process.is_alive()), self.result_outq)

    def run(self, code: str, reset_session: bool = True) -> ExecutionResult:
        """Execute a script. Its death, or AIDE's failure to handle it, is a result like any other."""
        started = time.monotonic()
        try:
            with self._watch.part(self.timeout + _STUCK_AFTER):
                result = super().run(code, reset_session)
        except (Stuck, RuntimeError, AssertionError, EOFError, OSError, IndexError, ValueError) as problem:
            print(f"interpreter: {type(problem).__name__}: {problem}", flush=True)
            result = self._failed(time.monotonic() - started)
        finally:
            self.cleanup_session()
            end_descendants()
        return result

    def cleanup_session(self) -> None:
        """Kill the child; AIDE's own way raises where it does not die at once."""
        process, self.process = self.process, None
        if process is not None:
            with suppress(Exception):
                process.kill()
                process.join(5)
                process.close()

    def _failed(self, seconds: float) -> ExecutionResult:
        if seconds >= self.timeout:
            kind, reason = "TimeoutError", f"The script was killed: its time limit is {spoken(self.timeout)}."
        else:
            kind, reason = "RuntimeError", "The script's process died (killed for its memory, or by the script itself)."
        self.cleanup_session()
        end_descendants()
        printed = self.result_outq.everything() if isinstance(self.result_outq, DrainedQueue) else []
        return ExecutionResult([*printed, f"\n{kind}: {reason}\n"], seconds, kind, {}, [])


class DrivenAgent(Agent):
    """AIDE's agent; its search is untouched."""

    def __init__(
        self,
        task_desc: str,
        cfg: Any,
        journal: Journal,
        *,
        settings: Settings,
        clock: Clock,
        watch: Watch,
        keeper: Keeper,
    ) -> None:
        super().__init__(task_desc=task_desc, cfg=cfg, journal=journal)
        self._settings, self._clock, self._watch, self._keeper = settings, clock, watch, keeper
        self._reported: dict[str, bool] = {}
        self._submission = Path(cfg.workspace_dir) / SUBMISSION

    def update_data_preview(self) -> None:
        """AIDE's preview within bounds."""
        seconds = min(_PREVIEW_SECONDS, 0.1 * self._clock.left())
        self.data_preview = data_preview(aide.utils.data_preview.generate, Path(self.cfg.workspace_dir), seconds)

    @property
    def _prompt_environment(self) -> dict[str, str]:
        """AIDE claims that many packages are installed; here only those that are."""
        found = [name for name in _PACKAGES if _installed(name)]
        random.shuffle(found)
        names = ", ".join(f"`{name}`" for name in found)
        text = f"Your solution can use any of these machine learning packages: {names}. Others can not be installed."
        return {"Installed Packages": text}

    @property
    def _prompt_impl_guideline(self) -> dict[str, list[str]]:
        """AIDE's guidelines and what is left of the limits."""
        guideline: dict[str, list[str]] = super()._prompt_impl_guideline
        left = [f"Time left for the whole competition: {spoken(self._clock.left())}."] if self._clock.limit else []
        steps = self.acfg.steps - len(self.journal)
        left += [f"Scripts left: {steps}."] if steps < 10**8 else []
        guideline["Implementation guideline"] += left
        return guideline

    def before_script(self) -> None:
        """No file of an earlier script may be taken for the next one's."""
        with suppress(FileNotFoundError):
            self._submission.unlink()

    def time_for_script(self, interpreter: Interpreter) -> None:
        """Let interpreter and prompt know how long the next script may take."""
        seconds = int(min(self._settings.exec_timeout, max(1.0, self._clock.left() - _AFTER_TIMEOUT)))
        interpreter.timeout = self.cfg.exec.timeout = seconds

    def parse_exec_result(self, node: Node, exec_result: ExecutionResult) -> None:
        """AIDE's review; then the submission decides whether the node can be good, and whether it is the best."""
        step = len(self.journal)
        handed = self._submission.is_file()
        if handed:
            self._keeper.poor(step, node.code, self._submission)
        else:
            exec_result.term_out.append(f"\nThe script left no file {SUBMISSION}, which every script has to write.\n")
        super().parse_exec_result(node=node, exec_result=exec_result)
        if not handed and not node.is_buggy:
            node.is_buggy, node.metric = True, WorstMetricValue()
        if not node.is_buggy:
            with self._watch.held():
                self._reported[node.id] = bool(node.metric.maximize)
                value = float(node.metric.value)
                self._keeper.good(step, node.code, self._submission, value, self._reported[node.id])
                for good in (*self.journal.good_nodes, node):  # AIDE's comparisons want one direction for all
                    good.metric = MetricValue(good.metric.value, maximize=self._keeper.maximize)

    def forget_failed_step(self) -> None:
        """Take nodes that did not make it into the journal out of their parents' children."""
        known = set(self.journal.nodes)
        for node in self.journal.nodes:
            node.children &= known


def _installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
