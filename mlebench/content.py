"""Where the folders that ship with the package lie: competitions/, agents/ and environment/.

In a wheel they are package data under `mlebench/_content`; in a checkout they stand beside the package.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

Kind = Literal["competitions", "agents", "environment"]


def content_dir(kind: Kind) -> Path:
    """Return the built-in folder of this kind."""
    package = Path(__file__).resolve().parent
    packaged = package / "_content" / kind
    return packaged if packaged.is_dir() else package.parent / kind
