"""mlebench's command line, with the real Kaggle client pointed at KAGGLE_TEST_ENDPOINT and little patience.

A file, so that worker processes of --jobs run its first lines too.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
os.environ["KAGGLE_API_ENVIRONMENT"] = "TEST"

from kaggle_server import point_client_at

from mlebench.data.kaggle import client

point_client_at(os.environ["KAGGLE_TEST_ENDPOINT"])
read = float(os.environ.get("KAGGLE_TEST_PATIENCE", "2"))
client.PATIENCE = client.Patience(connect=2, read=read, tries=4, first_wait=0.05, longest_wait=0.2, pace=0)

if __name__ == "__main__":
    from mlebench.cli import main

    main()
