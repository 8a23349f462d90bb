"""A Docker engine of the test's own, which may be stopped and killed, beside the one that everybody uses."""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path

import docker

IMAGE = "mlebench-test-tiny"


class PrivateEngine:
    """dockerd with folders, socket and containerd of its own, and a tiny image: sh and sleep of this machine.

    As where systemd starts both, containerd is a service of its own and outlives an engine that is killed. It lives in
    a network namespace of its own: an engine without a bridge removes the interface docker0, which is another's.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mlebench-engine-", dir="/tmp"))
        self.url = f"unix://{self.folder}/docker.sock"
        self._process: subprocess.Popen[bytes] | None = None
        (self.folder / "containerd.toml").write_text('version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n')
        with (self.folder / "containerd.log").open("ab") as log:
            self._containerd = subprocess.Popen(
                [
                    *(
                        "containerd",
                        "--config",
                        f"{self.folder}/containerd.toml",
                        "--root",
                        f"{self.folder}/containerd",
                    ),
                    *("--state", f"{self.folder}/state", "--address", f"{self.folder}/containerd.sock"),
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start(self, *options: str) -> None:
        """Start it and wait until it answers."""
        with (self.folder / "dockerd.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *("unshare", "--net", "dockerd", "--host", self.url, "--data-root", f"{self.folder}/data"),
                    *("--exec-root", f"{self.folder}/exec", "--pidfile", f"{self.folder}/docker.pid"),
                    *("--containerd", f"{self.folder}/containerd.sock"),
                    *("--bridge", "none", "--iptables=false", "--ip-forward=false", "--ip-masq=false", *options),
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + 60
        while True:
            try:
                docker.DockerClient(self.url, version="auto").ping()
                return
            except (docker.errors.DockerException, OSError):
                assert time.monotonic() < deadline and self._process.poll() is None, self.complaints()
                time.sleep(0.2)

    def end(self, number: int = signal.SIGTERM) -> None:
        """Send a signal and wait for the process's end."""
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(60)

    def complaints(self) -> str:
        return (self.folder / "dockerd.log").read_text()[-3000:]

    def make_image(self) -> None:
        """A system of a shell and sleep, from this machine's files."""
        files: dict[str, Path] = {}
        for program in ("sh", "sleep", "mkdir", "cat"):
            found = shutil.which(program)
            assert found
            files[f"bin/{program}"] = Path(found).resolve()
            for library in re.findall(r"(/\S+)", subprocess.check_output(["ldd", found], text=True)):
                files[library.lstrip("/")] = Path(library).resolve()
        blob = io.BytesIO()
        with tarfile.open(fileobj=blob, mode="w") as tar:
            for name, path in files.items():
                tar.add(path, name)
            for folder in ("tmp", "home", "home/agent"):
                entry = tarfile.TarInfo(folder)
                entry.type, entry.mode = tarfile.DIRTYPE, 0o777
                tar.addfile(entry)
        docker.DockerClient(self.url, version="auto").api.import_image_from_data(blob.getvalue(), repository=IMAGE)

    def remove(self) -> None:
        """End it, what it started, and its folder."""
        if self._process is not None and self._process.poll() is None:
            self.end()
        self._containerd.terminate()
        self._containerd.wait(60)
        for process in Path("/proc").glob("[0-9]*"):  # shims of containers that a killed engine left
            try:
                ours = str(self.folder).encode() in (process / "cmdline").read_bytes()
            except OSError:
                continue
            if ours:
                os.kill(int(process.name), signal.SIGKILL)
        for line in reversed(Path("/proc/self/mountinfo").read_text().splitlines()):
            if line.split()[4].startswith(str(self.folder)):
                subprocess.run(["umount", "-l", line.split()[4]], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
