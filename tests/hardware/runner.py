"""A runner as a process of its own: takes leases on command and says what it got.

Lines on stdin: `take OWNER`, `adopt OWNER JSON`, `release OWNER`. A sandbox "lives" while a file of its name exists in
the folder named living/.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fake_nvml import FakeNvml, cards

from mlebench.hardware import nvml
from mlebench.hardware.api import Share, SharePolicy
from mlebench.hardware.leases import Leases


def main() -> None:
    facts = json.loads(sys.argv[1])
    nvml.use(FakeNvml(*cards(facts["cards"])))
    living = Path(facts["living"])
    desk = Leases(
        SharePolicy(**facts["policy"]),
        living=lambda name: (living / name).exists(),
        folder=Path(facts["folder"]),
        settle_seconds=facts.get("settle", 0.0),
    )
    held = {}
    for line in sys.stdin:
        verb, owner, *rest = line.split(maxsplit=2)
        if verb == "release":
            held.pop(owner).release()
            answer = None
        else:
            lease = desk.take(owner) if verb == "take" else desk.adopt(owner, Share.model_validate_json(rest[0]))
            if lease is not None:
                held[owner] = lease
            answer = None if lease is None else lease.share.model_dump()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
