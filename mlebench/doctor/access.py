"""Who lets us in: Kaggle's credentials and rules, and the keys of model providers (names only, never values)."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path

from mlebench.doctor.finding import Finding, ok, problem, warning
from mlebench.errors import MlebenchError

MODEL_KEYS = (
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "OPENROUTER_API_KEY",
    "AZURE_OPENAI_API_KEY",
    "AWS_BEARER_TOKEN_BEDROCK",
    "MISTRAL_API_KEY",
    "DEEPSEEK_API_KEY",
    "GROQ_API_KEY",
    "TOGETHER_API_KEY",
    "FIREWORKS_API_KEY",
    "XAI_API_KEY",
    "HF_TOKEN",
)


def kaggle_credentials() -> list[Finding]:
    """Which credentials the download would use; Kaggle is not asked."""
    from mlebench.data.kaggle.credentials import HOW_TO, find_credentials

    title = "Kaggle credentials"
    try:
        found = find_credentials()
    except MlebenchError as error:
        return [problem(title, *_split(error))]
    if found is None:
        return [warning(title, "none; real data cannot be downloaded (made-up and bundled data can be had)", HOW_TO)]
    owner = f" of {found.username}" if found.username else ""
    detail = f"{found.kind} from {found.where}{owner}"
    if found.path is not None and _readable_by_others(found.path):
        return [warning(title, f"{detail}; other users can read it", f"run `chmod 600 {_shell(found.path)}`")]
    return [ok(title, f"{detail} (`mlebench doctor --kaggle` tries them)")]


def kaggle_rules(ids: Sequence[str], tell: Callable[[str], None] = lambda _: None) -> list[Finding]:
    """Whether Kaggle would give each competition to this account: asks Kaggle, once for each.

    `tell` hears what is waited for.
    """
    from mlebench.data.kaggle import check_rules

    title = "Kaggle competitions"
    try:
        statuses = check_rules(ids, tell=tell)
    except MlebenchError as error:
        return [problem(title, *_split(error))]
    lacking = sorted((one for one in statuses if not one.available), key=lambda one: str(one.problem))
    findings = []
    for kind, group in groupby(lacking, key=lambda one: str(one.problem)):
        for one in group:
            findings.append(problem(f"Kaggle: {kind}", one.competition, one.message))
    if len(lacking) < len(statuses):
        findings.insert(0, ok(title, f"{len(statuses) - len(lacking)} of {len(statuses)} can be downloaded"))
    return findings


def model_keys() -> list[Finding]:
    """Keys that a gateway or an agent could use."""
    present = [name for name in MODEL_KEYS if os.environ.get(name)]
    if not present:
        return [ok("Model keys", "none in the environment; only agents that ask a model need one")]
    return [ok("Model keys", f"{', '.join(present)} (values are never shown)")]


def _split(error: MlebenchError) -> tuple[str, str]:
    """What is wrong, and what to do about it."""
    what, *advice = re.split(r"[;:] ", str(error).rstrip("."), maxsplit=1)
    return what, advice[0] if advice else "run the same command again later"


def _readable_by_others(path: Path) -> bool:
    """Whether not only the file's owner can read it."""
    try:
        return bool(path.stat().st_mode & 0o077)
    except OSError:
        return False


def _shell(path: Path) -> str:
    """The path as it can be given to a shell, short where it lies in the home."""
    home = os.path.expanduser("~")  # noqa: PTH111 (raises nothing)
    inside = shlex.quote(os.path.relpath(path, home)) if path.is_relative_to(home) else ""
    return f"~/{inside}" if inside else shlex.quote(str(path))
