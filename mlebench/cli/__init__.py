"""The command line. One thin module a verb: parse, call one function, render; no logic.

Nothing heavy is imported here or at the top of a verb's module, so that `mlebench --help` stays instant.
"""

from __future__ import annotations

from mlebench.cli.app import main

__all__ = ["main"]
