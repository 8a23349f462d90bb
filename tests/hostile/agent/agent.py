"""Runs the group of attempts at harm that its seed chooses; see the modules in harm/."""

import importlib
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
group = os.environ["OPTION_GROUPS"].split()[int(os.environ["SEED"])]
module, _, what = group.partition(":")
importlib.import_module(f"harm.{module}").main(*([what] if what else []))
