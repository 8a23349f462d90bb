"""logs/outcome.json: how the agent says its work ended."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Outcome:
    """`end` is finished, out_of_steps, out_of_time, model_failure or crashed."""

    end: str = "crashed"
    message: str | None = None
    steps: int = 0
    written: Path | None = None

    def write(self) -> None:
        """Write the file whole or not at all."""
        path = Path(os.environ["LOGS_DIR"]) / "outcome.json"
        facts = {"end": self.end, "message": self.message and self.message[:500], "steps": self.steps}
        aside = path.with_name(".outcome.json")
        aside.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        aside.replace(path)
        self.written = path
