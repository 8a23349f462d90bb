"""docs/architecture.md names every room."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_room_is_in_the_table() -> None:
    table = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").partition("## Rooms")[2].partition("## ")[0]
    rooms = [path for path in (ROOT / "mlebench").iterdir() if not path.name.startswith(("_", "py.typed"))]
    lacking = [path.name for path in rooms if f"{path.name}{'/' if path.is_dir() else ''}`" not in table]
    assert lacking == []
