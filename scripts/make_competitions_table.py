"""Write docs/competitions.md: a table of every competition, from the competition folders alone.

python scripts/make_competitions_table.py [--check]
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from mlebench.competition import Competition
from mlebench.grading.leaderboard import load_leaderboard
from mlebench.registry import Registry
from mlebench.text import number

PAGE = Path(__file__).resolve().parent.parent / "docs" / "competitions.md"
GROUPS = {
    "benchmark": "The benchmark (split `all`)",
    "development": "Development (split `dev`)",
    "practice": "Practice: real data that ships with scikit-learn (split `practice`)",
}
HEAD = """# Competitions

Made by `python scripts/make_competitions_table.py` from the competition folders; do not edit.

Complexity: how long an experienced engineer needs for a sensible solution (low: under 2 h, medium: 2 to 10 h, high:
more); `lite` is another name for the low ones. Size is that of the prepared real data in GB, where it is known. Gold,
silver, bronze and median are the archived scores of the contest's final leaderboard (practice: of reference models).
Known issues count leaks (L), defects (D), quirks (Q) and notes (N); `mlebench info ID` tells them.
"""
COLUMNS = "| competition | complexity | category | GB | metric | teams | gold | silver | bronze | median | issues |"
RULE = "|---|---|---|---:|---|---:|---:|---:|---:|---:|---|"


def page() -> str:
    """The whole page."""
    competitions = Registry().all()
    parts = [HEAD]
    for group, title in GROUPS.items():
        members = [competition for competition in competitions if competition.facts.group == group]
        levels = Counter(c.facts.complexity for c in members if c.facts.complexity)
        split = f" ({', '.join(f'{levels[level]} {level}' for level in ('low', 'medium', 'high'))})" if levels else ""
        rows = "\n".join(row(competition) for competition in members)
        parts.append(f"\n## {title}\n\n{len(members)} competitions{split}.\n\n{COLUMNS}\n{RULE}\n{rows}\n")
    return "".join(parts)


def row(competition: Competition) -> str:
    """One competition's line."""
    facts = competition.facts
    board = load_leaderboard(competition.folder, facts.metric.higher_is_better)
    kinds = Counter(issue.kind[0].upper() for issue in facts.issues)
    cells = (
        competition.id,
        facts.complexity or "",
        facts.category,
        "" if facts.data.prepared_gb is None else f"{facts.data.prepared_gb:g}",
        f"{facts.metric.title} {'↑' if facts.metric.higher_is_better else '↓'}",
        board.teams or "",
        *(number(score) for score in (board.gold, board.silver, board.bronze, board.median)),
        " ".join(f"{kinds[kind]}{kind}" for kind in "LDQN" if kinds[kind]),
    )
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def main() -> int:
    """Write the page, or with --check say whether it is up to date."""
    text = page()
    if "--check" in sys.argv[1:]:
        if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text:
            return 0
        print(f"{PAGE} is out of date; run python scripts/make_competitions_table.py", file=sys.stderr)
        return 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
