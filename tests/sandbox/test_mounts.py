"""What may be shown to an agent."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from mlebench.errors import SandboxError
from mlebench.sandbox.control import render_instructions, write_control
from mlebench.sandbox.docker import brings_own_agent
from mlebench.sandbox.mounts import mountable, readable_by_others


def test_answers_and_what_contains_them(tmp_path: Path) -> None:
    private = tmp_path / "data" / "toy" / "prepared" / "private"
    public = private.with_name("public")
    private.mkdir(parents=True)
    public.mkdir()
    assert mountable(public, "folder") == public.resolve()
    link = tmp_path / "harmless"
    link.symlink_to(private)
    (private / "deeper").mkdir()
    for path in (private, private / "deeper", link, private.parent, tmp_path / "data" / "toy", tmp_path / "data"):
        with pytest.raises(SandboxError, match="may hold answers"):
            mountable(path, "folder")


def test_the_engines_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("engine.sock")
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/engine.sock")
        for path in (tmp_path / "engine.sock", tmp_path):
            with pytest.raises(SandboxError, match="engine's socket"):
                mountable(path, "folder")
        monkeypatch.delenv("DOCKER_HOST")
        with pytest.raises(SandboxError, match="is a socket"):
            mountable(tmp_path / "engine.sock", "folder")
    with pytest.raises(SandboxError, match="does not exist"):
        mountable(tmp_path / "nothing", "folder")


def test_unreadable_folders_are_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with pytest.raises(SandboxError, match="chmod -R"):
        readable_by_others(tmp_path, "folder")
    tmp_path.chmod(0o755)
    readable_by_others(tmp_path, "folder")


def test_an_agent_that_lives_in_its_image(tmp_path: Path) -> None:
    (tmp_path / "agent.toml").touch()
    (tmp_path / "Dockerfile").touch()
    assert brings_own_agent(tmp_path)
    (tmp_path / "start.sh").touch()
    assert not brings_own_agent(tmp_path)


def test_control_folder(tmp_path: Path) -> None:
    control = tmp_path / "control"
    write_control(control, {"DATA_DIR": "/home/data", "TIME_LIMIT_SECS": "77"})
    assert {path.name for path in control.iterdir()} == {
        *("instructions.txt", "validate_submission.sh", "entrypoint.sh", "forward.py", "sockets", "kit")
    }
    assert all(path.stat().st_mode & 0o004 for path in control.iterdir())
    assert "77 seconds" in (control / "instructions.txt").read_text()
    (control / "instructions.txt").write_text("own")
    write_control(control, {})
    assert (control / "instructions.txt").read_text() == "own"


def test_instructions_name_every_path() -> None:
    names = "DATA_DIR SAMPLE_SUBMISSION SUBMISSION_FILE CODE_DIR LOGS_DIR AGENT_DIR VALIDATE_SCRIPT VALIDATE_URL"
    names += " TIME_LIMIT_SECS COMPETITION_ID SEED"
    text = render_instructions({name: f"<{name}>" for name in names.split()})
    assert "$" not in text
    assert all(f"<{name}>" in text for name in names.split())
