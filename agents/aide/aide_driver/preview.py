"""AIDE's overview of the data, made in a child with a time limit.

AIDE reads every table whole for it: hours and all memory on large data, an exception on text that is not UTF-8.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

LONGEST = 30_000
_ENTRIES = 60


def data_preview(make: Callable[[Path], str], workspace: Path, seconds: float) -> str:
    """AIDE's text when it is ready in time, otherwise a list of files."""
    text = in_child(make, workspace, seconds)
    if text is None:
        text = "(too much data for a closer look)\n" + file_list(workspace / "input")
    return text if len(text) <= LONGEST else text[:LONGEST] + "\n... (cut)"


def in_child(make: Callable[[Path], str], workspace: Path, seconds: float) -> str | None:
    """What `make(workspace)` returns; None when it fails, dies or takes longer."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_answer, args=(make, workspace, there), daemon=True)
    child.start()
    there.close()
    try:
        return here.recv() if here.poll(seconds) else None
    except (EOFError, OSError):
        return None
    finally:
        child.kill()
        child.join()
        here.close()


def _answer(make: Callable[[Path], str], workspace: Path, there: Any) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    try:
        text: str | None = make(workspace)
    except Exception as problem:
        print(f"AIDE cannot preview the data ({type(problem).__name__}: {problem})", flush=True)
        text = None
    there.send(text)


def file_list(folder: Path) -> str:
    """Names and sizes of what lies in the folder and one level below."""
    lines: list[str] = []
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            inside = sorted(entry.name for entry in path.iterdir())
            shown = ", ".join(inside[:5]) + (", ..." if len(inside) > 5 else "")
            lines.append(f"{path.name}/ ({len(inside)} entries: {shown})")
        else:
            lines.append(f"{path.name} ({path.stat().st_size:,} bytes)")
        if len(lines) == _ENTRIES:
            lines.append("...")
            break
    return "\n".join(lines)
