"""Entry point of the baseline agent; what it does is told in README.md."""

from __future__ import annotations

import os

from solver.cpus import available_cpus

# Read by the numerical libraries when they are first imported, hence before any of them is.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, str(available_cpus()))

from solver.main import main  # noqa: E402

if __name__ == "__main__":
    raise SystemExit(main())
