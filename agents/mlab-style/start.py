"""Starts the research agent; the folder of this file holds its modules."""

import os
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), os.environ["AGENT_KIT_DIR"]]
sys.dont_write_bytecode = True  # the folder may be read-only, or somebody's checkout

from researcher.run import main  # noqa: E402

if __name__ == "__main__":
    main()
