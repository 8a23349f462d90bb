"""What people see while an image is built: one moving line on a terminal, one line a step elsewhere; on stderr."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from mlebench.text import size as size_text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


class BuildProgress:
    """Watches builds (mlebench.agents.building.BuildWatch); a context manager that owns the live line."""

    def __init__(self, console: Console) -> None:
        from rich.live import Live

        self._console = console
        self._started = time.monotonic()
        self._image = self._step = self._last = ""
        self._told = 0.0
        self.results: list[dict[str, Any]] = []
        """Every image that is there now: image, bytes, seconds (null: it was up to date)."""
        self._live = (
            Live(console=console, get_renderable=self._render, refresh_per_second=4, transient=True)
            if console.is_terminal
            else None
        )

    def __enter__(self) -> BuildProgress:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def begin(self, image: str, why: str) -> None:
        """A build starts."""
        self._started, self._image, self._step, self._last = time.monotonic(), image, "", ""
        self._print(f"Building {image}: {why}")

    def sent(self, done: int, total: int) -> None:
        """Part of the build context is with the engine."""
        self._step = f"sending {size_text(done)} of {size_text(total)}"
        if done == total and self._live is None and self._told != self._started:
            self._told = self._started
            self._print(f"  sent {size_text(total)}")

    def step(self, number: int, total: int, text: str, seconds: float) -> None:
        """A step starts."""
        words = " ".join(text.split())
        if words.startswith("LABEL mlebench."):
            return  # our own bookkeeping
        self._step, self._last = f"step {number}/{total}", words
        self._print(f"  {seconds:6.1f} s  step {number}/{total}  {words[:100]}")

    def line(self, text: str) -> None:
        """A line that a step printed; shown as it passes."""
        self._last = text

    def done(self, image: str, size: int | None, seconds: float | None) -> None:
        """The image is there."""
        self._step = self._last = ""
        self.results.append({"image": image, "bytes": size, "seconds": None if seconds is None else round(seconds, 1)})
        facts = "" if size is None else f", {size_text(size)}"
        if seconds is None:
            self._print(f"{image} is up to date{facts}")
        else:
            self._print(f"{image} is built: {seconds:.0f} s{facts}")

    def _render(self) -> Text:
        from rich.text import Text

        if not self._step and not self._last:
            return Text("")
        seconds = time.monotonic() - self._started
        line = f"{self._image}  {self._step}  {seconds:.0f} s  {self._last}"
        printable = "".join(c if c.isprintable() else " " for c in line)
        return Text(printable, no_wrap=True, overflow="ellipsis", style="cyan")

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)
