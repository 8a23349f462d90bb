"""What the agent can do; each action takes named texts and returns an observation."""

from __future__ import annotations

import difflib
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agentkit.contract import Clock, Surroundings
from agentkit.execution import execute, python_command
from agentkit.hand_in import SUBMISSION, HandIn, collect_code

from researcher import prompts
from researcher.answers import code_block
from researcher.reading import Ask, understand
from researcher.workspace import BACKUPS, ToolError, Workspace

FINAL_ANSWER = "Final Answer"
_MOST_LINES = 100
_AFTER_SCRIPT = 3.0
"""Seconds that are kept for what follows a script."""
_VALIDATION_SECONDS = 600.0
_FILE = "path below the working folder"


@dataclass(frozen=True)
class Action:
    """One thing to do."""

    name: str
    help: str
    arguments: Mapping[str, str]
    run: Callable[..., str]
    shown: bool = True


class Actions:
    """All actions over one workspace."""

    def __init__(
        self, around: Surroundings, workspace: Workspace, clock: Clock, *, exec_timeout: float, fast: Ask, edit: Ask
    ) -> None:
        self._around, self._workspace, self._clock = around, workspace, clock
        self._exec_timeout, self._fast, self._edit = exec_timeout, fast, edit
        self._submission = HandIn(around, workspace.root)
        self.all = {action.name: action for action in self._list()}

    def shown(self, more: tuple[str, ...]) -> list[tuple[str, str, Mapping[str, str]]]:
        """Name, help and arguments of the actions that prompts speak of."""
        known = [action for action in self.all.values() if action.shown or action.name in more]
        return [(action.name, action.help, action.arguments) for action in known]

    def carry_out(self, name: str, arguments: Mapping[str, str]) -> str:
        """Do it. What goes wrong is the observation."""
        try:
            observation = self.all[name].run(**arguments)
        except ToolError as problem:
            observation = f"Error: {problem}"
        except OSError as problem:
            observation = f"Error: {problem.strerror or problem}."
        if name != "Execute Script":
            self._submission.look()
        collect_code(self._workspace.root, self._around.code, leave_out=(BACKUPS,))
        return observation

    def _list(self) -> list[Action]:
        script = {"script_name": f"a script, {_FILE}"}
        lines = {"start_line_number": "a number", "end_line_number": "a number"}
        instruction = {"edit_instruction": "what to change, step by step", "save_name": "where to save the result"}
        return [
            Action(
                "List Files",
                "what lies in a folder",
                {"dir_path": "a folder; . is the working folder"},
                self._list_files,
            ),
            Action(
                "Understand File",
                "let an assistant read a whole file, long ones too, and tell what you want to know",
                {"file_name": f"a file, {_FILE}", "things_to_look_for": "what you want to know"},
                self._understand,
            ),
            Action(
                "Inspect Script Lines",
                f"at most {_MOST_LINES} lines of a text file",
                {**script, **lines},
                self._inspect,
            ),
            Action(
                "Edit Script (AI)",
                "let an assistant write or rewrite a whole script; one that does not exist yet starts empty",
                {**script, **instruction},
                self._edit_script,
            ),
            Action("Undo Edit Script", "take the last edit of a script back", script, self._undo),
            Action("Copy File", "copy a file", {"source": f"a file, {_FILE}", "destination": _FILE}, self._copy),
            Action(
                "Execute Script",
                "run a Python script in the working folder and see what it prints",
                script,
                self._execute,
            ),
            Action(
                "Validate Submission",
                "ask whether a file has the right format; how good it is, nobody tells",
                {"submission_path": f"a file, such as {SUBMISSION}"},
                self._validate,
            ),
            Action(FINAL_ANSWER, "end the work", {"final_answer": "what was done and reached"}, self._final),
            Action("Read File", "a whole text file", {"file_name": f"a file, {_FILE}"}, self._read, shown=False),
            Action(
                "Write File",
                "write a whole text file",
                {"file_name": _FILE, "content": "what it is to hold"},
                self._write,
                shown=False,
            ),
            Action(
                "Append File",
                "add to the end of a text file",
                {"file_name": _FILE, "content": "what to add"},
                self._append,
                shown=False,
            ),
            Action(
                "Edit Script Segment (AI)",
                "the same for some lines of a script",
                {**script, **lines, **instruction},
                self._edit_segment,
                shown=False,
            ),
        ]

    def _list_files(self, dir_path: str) -> str:
        return self._workspace.listing(dir_path)

    def _read(self, file_name: str) -> str:
        return self._workspace.read(file_name)

    def _write(self, file_name: str, content: str) -> str:
        self._workspace.back_up(file_name)
        self._workspace.write(file_name, content)
        return f"{file_name} is written ({len(content)} characters)."

    def _append(self, file_name: str, content: str) -> str:
        path = self._workspace.path(file_name, write=True)
        before = self._workspace.read(file_name) if path.is_file() else ""
        return self._write(file_name, before + content)

    def _copy(self, source: str, destination: str) -> str:
        self._workspace.copy(source, destination)
        return f"{source} is copied to {destination}."

    def _undo(self, script_name: str) -> str:
        return f"{script_name} is now:\n{self._workspace.undo(script_name)}"

    def _inspect(self, script_name: str, start_line_number: str, end_line_number: str) -> str:
        lines = self._workspace.read(script_name).split("\n")
        first, last = _line_numbers(start_line_number, end_line_number)
        if last - first > _MOST_LINES:
            raise ToolError(f"At most {_MOST_LINES} lines at a time; {script_name} has {len(lines)}.")
        return f"{script_name} has {len(lines)} lines; these are {first} to {last}:\n" + "\n".join(
            lines[first - 1 : last]
        )

    def _understand(self, file_name: str, things_to_look_for: str) -> str:
        return understand(self._workspace.read(file_name), file_name, things_to_look_for, self._fast)

    def _edit_script(self, script_name: str, edit_instruction: str, save_name: str) -> str:
        path = self._workspace.path(script_name)
        before = self._workspace.read(script_name) if path.exists() else ""
        after = self._edited(before, prompts.edit(before, edit_instruction))
        return self._save(script_name, before, after, save_name)

    def _edit_segment(
        self, script_name: str, start_line_number: str, end_line_number: str, edit_instruction: str, save_name: str
    ) -> str:
        before = self._workspace.read(script_name)
        lines = before.split("\n")
        first, last = _line_numbers(start_line_number, end_line_number)
        segment = "\n".join(lines[first - 1 : last])
        new = self._edited(segment, prompts.edit(segment, edit_instruction, part=True)).rstrip("\n")
        after = "\n".join([*lines[: first - 1], new, *lines[last:]])
        return self._save(script_name, before, after, save_name)

    def _edited(self, before: str, prompt: str) -> str:
        code = code_block(self._edit(prompt))
        if code is None:
            raise ToolError("The assistant gave no block of Python; nothing was changed. Try another instruction.")
        return code

    def _save(self, script_name: str, before: str, after: str, save_name: str) -> str:
        target = save_name.strip() or script_name
        self._workspace.back_up(target)
        self._workspace.write(target, after)
        diff = difflib.unified_diff(
            before.splitlines(), after.splitlines(), script_name, target, lineterm="", n=2
        )  # of the text that was edited, wherever it is saved
        return f"Saved as {target}. See in the difference whether it is what you wanted:\n" + "\n".join(diff)

    def _execute(self, script_name: str) -> str:
        path = self._workspace.path(script_name)
        if not path.is_file():
            raise ToolError(f"There is no script {script_name}.")
        limit = min(self._exec_timeout, max(1.0, self._clock.left() - _AFTER_SCRIPT))
        done = execute(python_command(path), self._workspace.root, limit)
        note = self._submission.look(path, whole=done.code == 0)
        return "\n".join(part for part in (done.told(), note) if part)

    def _validate(self, submission_path: str) -> str:
        path = self._workspace.path(submission_path)
        try:
            asked = subprocess.run(
                ["sh", str(self._around.validate_script), str(path)],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=min(_VALIDATION_SECONDS, max(1.0, self._clock.left())),
            )
        except subprocess.TimeoutExpired:
            raise ToolError("The validation did not answer in time.") from None
        return (asked.stdout + asked.stderr).strip() or "The validation said nothing."

    def _final(self, final_answer: str) -> str:
        return "The work is ended."


def _line_numbers(first: str, last: str) -> tuple[int, int]:
    try:
        start, end = int(first), int(last)
    except ValueError:
        raise ToolError("Line numbers must be whole numbers.") from None
    if start < 1 or end < start:
        raise ToolError("Lines are counted from 1, and the last must not come before the first.")
    return start, end
