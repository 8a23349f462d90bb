"""What lies where as the agent sees it, and the environment variables that say so.

In a container these are the fixed paths of the published contract; without one they are paths of the host.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

OUTBOX_FOLDERS = ("submission", "code", "logs")
"""The folders an agent writes to, and the only ones that are collected."""


@dataclass(frozen=True)
class Layout:
    """The agent's view of its folders."""

    data: PurePath
    submission: PurePath
    code: PurePath
    logs: PurePath
    agent: PurePath
    instructions: PurePath
    validate_script: PurePath
    kit: PurePath

    def environment(self) -> dict[str, str]:
        """The variables every agent gets, whatever sandbox it runs in."""
        return {
            "DATA_DIR": str(self.data),
            "SUBMISSION_DIR": str(self.submission),
            "SUBMISSION_FILE": str(self.submission / "submission.csv"),
            "CODE_DIR": str(self.code),
            "LOGS_DIR": str(self.logs),
            "AGENT_DIR": str(self.agent),
            "INSTRUCTIONS_FILE": str(self.instructions),
            "VALIDATE_SCRIPT": str(self.validate_script),
            "AGENT_KIT_DIR": str(self.kit),
        }


_HOME = PurePosixPath("/home")

CONTAINER_CONTROL = PurePosixPath("/run/mlebench")
"""Where the control folder is mounted in a container."""

KIT_FOLDER = "kit"
"""Below the control folder and below environment/: modules that agents may import."""

CONTAINER = Layout(
    data=_HOME / "data",
    submission=_HOME / "submission",
    code=_HOME / "code",
    logs=_HOME / "logs",
    agent=_HOME / "agent",
    instructions=_HOME / "instructions.txt",
    validate_script=_HOME / "validate_submission.sh",
    kit=CONTAINER_CONTROL / KIT_FOLDER,
)
"""The published contract."""

CONTAINER_VALIDATE_URL = "http://localhost:5000/validate"
"""The validation endpoint inside a container; the forwarder brings it there."""

VALIDATE_SOCKET = "sockets/validate.sock"
"""The validation service's socket, below the control folder."""

GATEWAY_SOCKET = "sockets/gateway.sock"
"""The model gateway's socket, below the control folder."""

EGRESS_SOCKET = "sockets/egress.sock"
"""The egress proxy's socket, below the control folder (only with `--network allow=...`)."""

VALIDATE_PORT, GATEWAY_PORT, EGRESS_PORT = 5000, 5001, 5002
"""Where the forwarder makes these sockets reachable on a container's localhost."""

NOTICES_FILE = "notices.txt"
"""Below the control folder: what the agent is told while it runs, such as how much time is left; a line each."""

OUTCOME_FILE = "outcome.json"
"""Below the logs folder: how the agent says its work ended."""


def host_layout(agent: Path, public: Path, outbox: Path, control: Path) -> Layout:
    """The view of an agent that runs without a container; `agent` is where its copy of the agent folder lies."""
    return Layout(
        data=public,
        submission=outbox / "submission",
        code=outbox / "code",
        logs=outbox / "logs",
        agent=agent,
        instructions=control / "instructions.txt",
        validate_script=control / "validate_submission.sh",
        kit=control / KIT_FOLDER,
    )
