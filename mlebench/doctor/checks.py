"""Which checks there are, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from mlebench.data.paths import DataDir
from mlebench.doctor import access, data, engine, gpus, machine, python
from mlebench.doctor.examine import Check

KAGGLE_SECONDS = 600.0
"""Asking Kaggle about 75 competitions takes a minute, more where it limits requests."""


def all_checks(
    data_dir: DataDir, ask_kaggle_about: Sequence[str] = (), tell: Callable[[str], None] = lambda _: None
) -> list[Check]:
    """Every check of this machine; with ids, Kaggle is asked about them too, and `tell` hears what is waited for."""
    checks = [
        Check("Python", python.python_version),
        Check("Packages", python.packages),
        Check("Machine", machine.processors_and_memory),
        Check("GPUs", gpus.gpus),
        Check("Leases", gpus.leases),
        Check("Landlock", machine.answers_hidden),
        Check("Container engine", engine.engine),
        Check("Disk", partial(data.free_disk, data_dir)),
        Check("Data directory", partial(data.data_directory, data_dir)),
        Check("Model keys", access.model_keys),
        Check("Kaggle credentials", access.kaggle_credentials),
    ]
    if ask_kaggle_about:
        ids = list(ask_kaggle_about)
        checks.append(Check("Kaggle competitions", partial(access.kaggle_rules, ids, tell), KAGGLE_SECONDS))
    return checks
