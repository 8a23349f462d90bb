"""What is written about reports names what there is."""

from __future__ import annotations

from pathlib import Path

from made_runs import make_attempt, make_grade, make_run

from mlebench import reporting
from mlebench.registry import Registry
from mlebench.reporting.summary import summarise

ROOM = Path(reporting.__file__).parent
DOCUMENT = Path(__file__).parents[2] / "docs" / "reporting.md"


def test_the_room_s_readme_names_every_file() -> None:
    readme = (ROOM / "README.md").read_text(encoding="utf-8")
    files = {path.name for path in ROOM.iterdir() if path.suffix in (".py", ".css", ".js", ".html")}
    assert {name for name in files - {"__init__.py"} if f"`{name}`" not in readme} == set()


def test_every_key_at_the_top_of_the_json_is_described(registry: Registry) -> None:
    described = DOCUMENT.read_text(encoding="utf-8").partition("## JSON")[2]
    made = summarise(make_run([make_attempt("apple", 0, make_grade("apple", 0.9))]), registry).to_json()
    totals, _, report = described.partition("`report` holds")
    assert {key for key in made if key != "report" and f"`{key}`" not in totals} == set()
    assert {key for key in made["report"] if f"`{key}`" not in report} == set()
