"""Writing submissions: first the sample, then only what is checked and better."""

from __future__ import annotations

import json
import logging
import shutil
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import pandas as pd

from solver.environment import Environment
from solver.tables import tables_at

log = logging.getLogger(__name__)

PATIENCE = 300.0
"""Seconds to wait for the validation endpoint's answer."""


class Submitter:
    """Puts submissions in place, each whole, and never a worse-formed one over a better-formed one."""

    def __init__(self, environment: Environment) -> None:
        self.file = environment.submission
        self.url = environment.validate_url

    def put_sample(self, sample: Path) -> None:
        """Copy the sample submission as it is, so that there is a submission whatever happens later."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        aside = self._aside()
        with tables_at(sample)[0].open() as source, aside.open("wb") as target:
            shutil.copyfileobj(source, target)
        aside.replace(self.file)

    def put(self, frame: pd.DataFrame, like: pd.DataFrame) -> bool:
        """Write a submission if it passes our own check and the validation endpoint's; say whether it was."""
        problem = own_check(frame, like)
        if problem:
            log.warning("not submitted: %s", problem)
            return False
        aside = self._aside()
        try:
            frame.to_csv(aside, index=False)
            accepted, message = validate(self.url, aside)
            log.info("validation: %s", message)
            if accepted:
                aside.replace(self.file)
            return accepted
        finally:
            aside.unlink(missing_ok=True)

    def _aside(self) -> Path:
        return self.file.with_name("." + self.file.name)


def own_check(frame: pd.DataFrame, like: pd.DataFrame) -> str | None:
    """What is wrong with a submission when compared with the sample; none when nothing is."""
    if list(frame.columns) != list(like.columns):
        return "the columns differ from the sample's"
    if len(frame) != len(like):
        return f"{len(frame)} rows instead of {len(like)}"
    if frame.isna().to_numpy().any():
        return "cells are missing"
    return None


def validate(url: str, file: Path) -> tuple[bool, str]:
    """Ask the endpoint whether the format is right. Without an answer our own check has to do."""
    boundary = uuid.uuid4().hex
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="submission.csv"\r\n'
        "Content-Type: text/csv\r\n\r\n"
    )
    body = head.encode() + file.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    request = urllib.request.Request(
        url, data=body, headers={"Content-Type": f"multipart/form-data; boundary={boundary}"}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # the endpoint is on this machine
    try:
        with opener.open(request, timeout=PATIENCE) as response:
            answer = response.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        answer = error.read().decode("utf-8", "replace")
        if error.code >= 500:
            return True, f"the endpoint failed ({error.code})"
    except (OSError, ValueError) as error:
        return True, f"no endpoint answered ({error})"
    return not _says_invalid(answer), answer.strip()[:500]


def _says_invalid(answer: str) -> bool:
    try:
        facts = json.loads(answer)
    except ValueError:
        return "submission is invalid" in answer.lower()
    if isinstance(facts, dict) and isinstance(facts.get("valid"), bool):
        return not facts["valid"]
    return "submission is invalid" in answer.lower()
