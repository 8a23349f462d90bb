"""Every error a user can meet. Each carries one sentence that says what is wrong and what to do."""

from __future__ import annotations

import errno
import os
from enum import StrEnum

from mlebench.pathnames import shown


class MlebenchError(Exception):
    """Something went wrong that the user can read about in one sentence; the command exits with 1."""

    exit_code = 1


class UsageError(MlebenchError):
    """The user asked for something that cannot be (unknown id, bad option, bad file); exits with 2."""

    exit_code = 2


class CompetitionError(UsageError):
    """A competition folder is malformed; the message names the file and the key."""


class AgentError(UsageError):
    """An agent folder is malformed or unknown; the message names the file and the key."""


class NotPreparedError(UsageError):
    """A competition's data is not on disk; the message names the command that prepares it."""


class DataError(MlebenchError):
    """Raw or prepared data is missing, damaged or not what the recipe expects."""


class SandboxError(MlebenchError):
    """The place where agents run (engine, image, container) failed; never the agent's own fault."""


class GatewayError(MlebenchError):
    """The model gateway cannot work (provider unknown, key missing, process failed); never the agent's own fault."""


class HardwareError(MlebenchError):
    """The machine cannot give what was asked for (no such GPU, none healthy, driver missing)."""


class BundleError(MlebenchError):
    """An attempt's bundle is damaged or was changed; the message names the file."""


class GraderError(MlebenchError):
    """A grader failed on a submission that passed validation: a bug of ours, the attempt stays re-gradable."""


def os_error_told(error: OSError) -> str | None:
    """One sentence on what the system refused, for the user to act on; none where it names no file: a bug of ours."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f" ({shown(error.filename)})" if error.filename else ""
        return f"There is no room left on the disk{where}; free some and try again."
    if not isinstance(error.filename, str | bytes | os.PathLike):
        return None
    advice = {
        errno.EACCES: "change its permissions, or run as another user",
        errno.EPERM: "change its permissions, or run as another user",
        errno.EROFS: "its file system is read-only; use another place",
        errno.EIO: "the disk may be failing",
    }.get(error.errno or 0, "look at what is there")
    return f"{shown(error.filename)} cannot be used ({error.strerror}): {advice}."


class Reason(StrEnum):
    """The fixed vocabulary of why a submission is invalid. Safe to show to an agent: it never holds answers."""

    NO_FILE = "no_file"
    NOT_A_FILE = "not_a_file"
    TOO_LARGE = "too_large"
    BAD_ENCODING = "bad_encoding"
    UNREADABLE = "unreadable"
    EMPTY = "empty"
    MISSING_COLUMNS = "missing_columns"
    DUPLICATE_COLUMNS = "duplicate_columns"
    EXTRA_COLUMNS = "extra_columns"
    COLUMN_ORDER = "column_order"
    ROW_COUNT = "row_count"
    MISSING_IDS = "missing_ids"
    UNKNOWN_IDS = "unknown_ids"
    DUPLICATE_IDS = "duplicate_ids"
    MISSING_VALUES = "missing_values"
    NOT_A_NUMBER = "not_a_number"
    NOT_FINITE = "not_finite"
    OUT_OF_RANGE = "out_of_range"
    WRONG_CLASS = "wrong_class"
    BAD_FORMAT = "bad_format"
    ROW_SUM = "row_sum"
    UNDEFINED_SCORE = "undefined_score"


class InvalidSubmissionError(MlebenchError):
    """The submission breaks the competition's declared format; `reason` is the code, the message the sentence."""

    exit_code = 2

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
