"""One validation in a process of its own: a crash, a leak or an endless loop ends with it.

    python -m mlebench.validation.worker COMPETITION_FOLDER SAMPLE FILE MEMORY_BYTES CPU_SECONDS

Prints the result as one line of JSON. Inherits the service's confinement.
"""

from __future__ import annotations

import ctypes
import resource
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def limit(memory_bytes: int, cpu_seconds: int) -> None:
    """Bound this process before it reads anything that an agent wrote."""
    for which, value in ((resource.RLIMIT_DATA, memory_bytes), (resource.RLIMIT_CPU, cpu_seconds)):
        try:
            resource.setrlimit(which, (value, value))
        except (ValueError, OSError):
            pass  # a lower limit is in force already, or the system has none of this kind
    if sys.platform == "linux":
        # The thread of the service that started this process waits for it, so the signal comes only with its death.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def main() -> None:
    """Validate and print."""
    folder, sample, file = (Path(word) for word in sys.argv[1:4])
    limit(int(sys.argv[4]), int(sys.argv[5]))
    from mlebench.competition import load_competition
    from mlebench.grading.validate import validate_file

    print(validate_file(file, load_competition(folder), sample).model_dump_json())


if __name__ == "__main__":
    main()
