"""AIDE's journal, tree and configuration in the logs folder; each file whole at any moment."""

from __future__ import annotations

import copy
import json
import time
import warnings
from pathlib import Path
from typing import Any

from agentkit.contract import append_line, write_atomically
from aide.utils import tree_export
from omegaconf import OmegaConf

_TREE_SECONDS = 2.0


def journal_json(journal: Any) -> str:
    """The journal as AIDE's own serialize.dumps_json writes it, which copies the tree by recursion: deep ones fail."""
    nodes = []
    for node in journal.nodes:
        alone = copy.copy(node)
        alone.parent, alone.children = None, set()
        nodes.append(alone.to_dict())
    parents = {node.id: node.parent.id for node in journal.nodes if node.parent is not None}
    return json.dumps({"nodes": nodes, "node2parent": parents, "__version": "2"}, separators=(",", ":"))


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
            write_atomically(self._folder / "journal.json", journal_json(self._journal))
            if last or self._tree_took < _TREE_SECONDS:
                started = time.monotonic()
                partial = self._folder / ".tree_plot.html"
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # its layout divides by zero while all nodes are roots
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
