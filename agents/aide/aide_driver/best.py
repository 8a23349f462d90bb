"""The submission that is handed in always belongs to the best node.

Which of two metrics is better depends on the direction, and that is what a model says of each node. Where the nodes
disagree the majority counts, so the files of the highest and of the lowest metric are both kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agentkit.contract import Surroundings, append_line, copy_atomically, write_atomically


@dataclass(frozen=True)
class Candidate:
    """A good node with its submission."""

    step: int
    value: float
    code: str
    file: Path


class Keeper:
    """Copies the best node's submission and code to the folders that are handed in, at once and whole."""

    def __init__(self, around: Surroundings, shelf: Path) -> None:
        self._around = around
        self._shelf = shelf
        shelf.mkdir(parents=True, exist_ok=True)
        self._votes: list[bool] = []
        self._highest: Candidate | None = None
        self._lowest: Candidate | None = None
        self._handed_in: int | None = None
        self.provisional = False
        """Whether what is handed in comes from a script that was not found good, for want of a better one."""

    @property
    def maximize(self) -> bool:
        """The direction most good nodes agree on; on a tie the first one's."""
        in_favour = sum(self._votes)
        return self._votes[0] if 2 * in_favour == len(self._votes) else 2 * in_favour > len(self._votes)

    @property
    def best(self) -> Candidate | None:
        """The best good node so far; of equals the earliest."""
        if not self._votes:
            return None
        return self._highest if self.maximize else self._lowest

    def good(self, step: int, code: str, submission: Path, value: float, maximize: bool) -> bool:
        """Note a good node; True when it is the best now and was handed in."""
        self._votes.append(maximize)
        highest = self._highest is None or value > self._highest.value
        lowest = self._lowest is None or value < self._lowest.value
        if highest or lowest:
            file = self._shelf / f"{step}.csv"
            if copy_atomically(submission, file):
                candidate = Candidate(step, value, code, file)
                self._highest = candidate if highest else self._highest
                self._lowest = candidate if lowest else self._lowest
        self._tidy()
        best = self.best
        if best is None or (best.step == self._handed_in and not self.provisional):
            return False
        self._hand_in(best.step, best.code, best.file, best.value)
        return best.step == step

    def poor(self, step: int, code: str, submission: Path) -> None:
        """A script that is not known to be good left a file: better than nothing, as long as there is nothing else."""
        if self._handed_in is None or self.provisional:
            self._hand_in(step, code, submission, None)

    def _hand_in(self, step: int, code: str, submission: Path, value: float | None) -> None:
        write_atomically(self._around.code / "solution.py", code)
        if copy_atomically(submission, self._around.submission):
            self._handed_in, self.provisional = step, value is None
            append_line(self._around.logs / "handed_in.jsonl", {"step": step, "metric": value})

    def _tidy(self) -> None:
        kept = {one.file for one in (self._highest, self._lowest) if one is not None}
        for file in self._shelf.glob("*.csv"):
            if file not in kept:
                file.unlink(missing_ok=True)
