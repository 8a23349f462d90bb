"""AIDE's journal, tree and configuration in the logs folder; each file whole at any moment."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from aide.utils import serialize, tree_export
from contract import append_line, write_atomically
from omegaconf import OmegaConf

_TREE_SECONDS = 2.0


class Record:
    """Writes to `folder` what AIDE would write to its log_dir."""

    def __init__(self, folder: Path, cfg: Any, journal: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._cfg, self._journal = folder, cfg, journal
        self._tree_took = 0.0
        write_atomically(folder / "config.yaml", OmegaConf.to_yaml(cfg))

    def save(self, *, last: bool = False) -> None:
        """The journal after each step; the tree as long as that is quick, and at the end."""
        if not self._journal.nodes:
            return
        try:
            write_atomically(self._folder / "journal.json", serialize.dumps_json(self._journal))
            if last or self._tree_took < _TREE_SECONDS:
                started = time.monotonic()
                partial = self._folder / ".tree_plot.html"
                tree_export.generate(self._cfg, self._journal, partial)
                partial.replace(self._folder / "tree_plot.html")
                self._tree_took = time.monotonic() - started
        except Exception as problem:  # of AIDE's export, of a full disk: the search goes on
            print(f"cannot save the journal: {type(problem).__name__}: {problem}", flush=True)

    def step(self, seconds: float, handed_in: int | None) -> None:
        """One line about the newest node."""
        node = self._journal.nodes[-1]
        append_line(
            self._folder / "steps.jsonl",
            {
                "step": node.step,
                "stage": node.stage_name,
                "parent": None if node.parent is None else node.parent.step,
                "buggy": node.is_buggy,
                "metric": node.metric.value,
                "exception": node.exc_type,
                "exec_seconds": node.exec_time,
                "seconds": round(seconds, 2),
                "best": handed_in,
            },
        )
