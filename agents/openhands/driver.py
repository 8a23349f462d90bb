"""Drives one conversation of the OpenHands SDK until time, steps, model or work are at their end."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
import warnings
from pathlib import Path
from typing import Any

from coder import make_agent
from leavings import keep_solution, save_usage
from openhands.sdk import Conversation
from openhands.sdk.conversation.exceptions import ConversationRunError
from openhands.sdk.conversation.state import ConversationExecutionStatus as Status
from openhands.sdk.event import ActionEvent, MessageEvent
from openhands.sdk.event.conversation_error import ConversationErrorEvent
from outcome import Outcome
from task import GO_ON, STUCK, Settings, first_message, steps_text, time_text

warnings.filterwarnings("ignore", message="Cost calculation failed")  # the gateway knows prices

_ENDLESS = 1_000_000
_NO_WORK = ("finish", "think")
"""Tools that change nothing: a turn with these alone counts as idle."""
_TRANSIENT = (
    "ServiceUnavailable",
    "RateLimit",
    "Timeout",
    "APIConnection",
    "InternalServer",
    "BadGateway",
    "NoResponse",
)
_MODEL = "LLM"
"""Error codes of the SDK's model layer begin so."""
_CLOSE_SECONDS = 15.0
_NOTICE_SECONDS = 5.0


class Recorder:
    """Writes every event to logs/events.jsonl and counts the agent's steps (answers of the model)."""

    def __init__(self, logs: Path) -> None:
        self._file = (logs / "events.jsonl").open("a", encoding="utf-8")
        self._answers: set[str] = set()
        self.actions = 0
        """Tool calls that do something."""
        self.error: ConversationErrorEvent | None = None
        self.last_answer = ""

    @property
    def steps(self) -> int:
        """Answers of the model that led to events."""
        return len(self._answers)

    def __call__(self, event: Any) -> None:
        """Take one event."""
        self._file.write(event.model_dump_json() + "\n")
        self._file.flush()
        if isinstance(event, ConversationErrorEvent):
            self.error = event
        if event.source != "agent":
            return
        if isinstance(event, ActionEvent | MessageEvent):
            self._answers.add(str(getattr(event, "llm_response_id", None) or event.id))
            self.last_answer = _told(event)
            print(f"openhands: step {self.steps}: {self.last_answer}", flush=True)
        if isinstance(event, ActionEvent) and event.tool_name not in _NO_WORK:
            self.actions += 1


class Drive:
    """One attempt's conversation and why it ends."""

    def __init__(self, settings: Settings, outcome: Outcome) -> None:
        self._settings = settings
        self._outcome = outcome
        self._recorder = Recorder(settings.logs)
        self._stop = asyncio.Event()
        self._terminated = False
        self._failing_since: float | None = None
        self.conversation = Conversation(
            agent=make_agent(settings),
            workspace=str(settings.code),
            callbacks=[self._recorder],
            visualizer=None,
            max_iteration_per_run=settings.step_limit or _ENDLESS,
        )

    async def run(self) -> None:
        """Take turns until something is at its end; fills in the outcome."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._terminate)
        notices = asyncio.create_task(self._pass_on_notices())
        await asyncio.to_thread(self.conversation.send_message, first_message(self._settings))
        idle = 0
        while self._outcome.end == "crashed":
            before = self._recorder.actions
            problem = await self._turn()
            self._outcome.steps = self._recorder.steps
            stuck = self.conversation.state.execution_status is Status.STUCK
            idle = 0 if self._recorder.actions > before and not stuck else idle + 1
            await self._judge(problem, idle)
        notices.cancel()

    async def _turn(self) -> ConversationRunError | None:
        """One run of the conversation, cut off when the time is over or SIGTERM comes."""
        if self._settings.step_limit is not None:
            self.conversation.max_iteration_per_run = max(1, self._settings.step_limit - self._recorder.steps)
        self._recorder.error = None
        running = asyncio.create_task(self.conversation.arun())
        stopping = asyncio.create_task(self._stop.wait())
        await asyncio.wait(
            {running, stopping}, timeout=max(0.0, self._settings.seconds_left), return_when=asyncio.FIRST_COMPLETED
        )
        stopping.cancel()
        if not running.done():
            self.conversation.interrupt()
            await asyncio.wait({running}, timeout=_CLOSE_SECONDS)
        if not running.done() or running.cancelled():
            return None
        problem = running.exception()
        if problem is not None and not isinstance(problem, ConversationRunError):
            raise problem
        return problem

    async def _judge(self, problem: ConversationRunError | None, idle: int) -> None:
        """Say how it ended, or bring the conversation to go on."""
        settings, status = self._settings, self.conversation.state.execution_status
        left = None if settings.step_limit is None else settings.step_limit - self._recorder.steps
        if self._terminated:
            self._end("out_of_time", "Ended by SIGTERM.")
        elif settings.seconds_left <= 0:
            self._end("out_of_time", None)
        elif problem is not None or (self._recorder.error and self._recorder.error.code != "MaxIterationsReached"):
            await self._after_error(problem)
        elif left is not None and left <= 0:
            self._end("out_of_steps", f"All {settings.step_limit} steps are used.")
        elif idle >= settings.idle_turns or not settings.go_on:
            self._end_of_work(status, idle)
        else:
            self._failing_since = None
            text = STUCK + "\n" if status is Status.STUCK else ""
            text += GO_ON.format(time=time_text(settings), steps=steps_text(left), submission=settings.submission)
            await asyncio.to_thread(self.conversation.send_message, text)

    def _end_of_work(self, status: Status, idle: int) -> None:
        if status is Status.STUCK:
            self._end("model_failure", "Stuck: the model repeats the same action with the same result.")
        elif self._settings.submission.exists():
            self._end("finished", None if idle <= 1 else f"The model did nothing more in {idle} turns.")
        else:
            said = self._recorder.last_answer
            self._end(
                "model_failure", f"The model used no tool in {idle} turns and left no submission; it said: {said}"
            )

    async def _after_error(self, problem: ConversationRunError | None) -> None:
        """A model that fails for a while is asked again; one that refuses for good ends the attempt."""
        error = self._recorder.error
        code = error.code if error else type(problem.original_exception).__name__ if problem else "unknown"
        detail = error.detail if error else str(problem)
        now = time.monotonic()
        self._failing_since = self._failing_since or now
        spent = "budget_exhausted" in detail
        patient = now - self._failing_since < self._settings.patience_seconds
        if any(name in code for name in _TRANSIENT) and patient and not spent:
            pause = min(60.0, max(2.0, (now - self._failing_since) / 2), max(0.0, self._settings.seconds_left))
            print(f"openhands: {code}; asking again in {pause:.0f} s", flush=True)
            try:
                await asyncio.wait_for(self._stop.wait(), pause)
            except TimeoutError:
                pass
        elif spent or code.startswith(_MODEL) or any(name in code for name in _TRANSIENT):
            self._end("model_failure", f"{code}: {detail}")
        else:
            self._end("crashed", f"{code}: {detail}")
            self._outcome.written = None
            raise RuntimeError(self._outcome.message)

    def _end(self, end: str, message: str | None) -> None:
        self._outcome.end, self._outcome.message = end, message

    def _terminate(self) -> None:
        self._terminated = True
        self._stop.set()

    async def _pass_on_notices(self) -> None:
        """Tell the agent what the runner tells us, such as how much time is left, as it comes."""
        path, told = self._settings.notices, 0
        while path is not None:
            await asyncio.sleep(_NOTICE_SECONDS)
            try:
                lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            except OSError:
                continue
            if lines[told:] and self.conversation.state.execution_status is Status.RUNNING:
                news, told = lines[told:], len(lines)
                await asyncio.to_thread(self.conversation.send_message, "Notice: " + " ".join(news))


def drive(settings: Settings, outcome: Outcome) -> None:
    """Run the attempt; afterwards the outcome, the usage and the code are in place and no command runs on."""
    whole: list[Drive] = []

    async def attempt() -> None:
        whole.append(Drive(settings, outcome))
        await whole[0].run()

    # Not asyncio.run, which would wait for a command that still runs in a worker thread.
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(attempt())
    finally:
        if whole:
            save_usage(whole[0].conversation, settings.logs)
            _close(whole[0])
        keep_solution(settings.code)


def _close(drive: Drive) -> None:
    """Close the agent's shell; a shell that does not want to is left to the end of the container."""
    closing = threading.Thread(target=drive.conversation.close, daemon=True)
    closing.start()
    closing.join(_CLOSE_SECONDS)


def _told(event: ActionEvent | MessageEvent, width: int = 120) -> str:
    if isinstance(event, ActionEvent):
        arguments = event.action.model_dump(exclude_none=True) if event.action else {}
        text = f"{event.tool_name} {arguments.get('command') or arguments.get('message') or ''}"
        text += f" {arguments.get('path', '')}"
    else:
        text = "".join(getattr(part, "text", "") for part in event.llm_message.content)
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 3] + "..."
