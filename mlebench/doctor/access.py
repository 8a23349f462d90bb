"""Who lets us in: Kaggle's credentials and rules, and the keys of model providers (names only, never values)."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
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
    if open_to_others := _readable_by_others(found.where):
        return [warning(title, f"{detail}; other users can read it", f"run `chmod 600 {open_to_others}`")]
    return [ok(title, f"{detail} (`mlebench doctor --kaggle` tries them)")]


def kaggle_rules(ids: Sequence[str]) -> list[Finding]:
    """Whether Kaggle would give each competition to this account: asks Kaggle, once for each."""
    from mlebench.data.kaggle import check_rules

    title = "Kaggle competitions"
    try:
        statuses = check_rules(ids)
    except MlebenchError as error:
        return [problem(title, *_split(error))]
    lacking = sorted((one for one in statuses if not one.available), key=lambda one: str(one.problem))
    findings = []
    for kind, group in groupby(lacking, key=lambda one: str(one.problem)):
        for one in group:
            findings.append(problem(f"Kaggle: {kind}", one.competition, f"open {one.page}"))
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


def _readable_by_others(where: str) -> str:
    """The file's name when it is one and not only its owner can read it."""
    path = Path(where).expanduser()
    try:
        return where if path.is_file() and path.stat().st_mode & 0o077 else ""
    except OSError:
        return ""
