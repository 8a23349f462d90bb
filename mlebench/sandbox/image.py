"""Building container images from a folder with a Dockerfile, such as an agent's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mlebench.errors import SandboxError
from mlebench.sandbox.engine import engine_errors


def build_image(
    tag: str, context: Path, buildargs: Mapping[str, str] | None = None, *, network: str | None = None
) -> str:
    """Build `context`/Dockerfile as `tag` and return the image's id; SandboxError names the step that failed.

    `network`: network mode of the build, such as "host".
    """
    import docker
    from docker.errors import BuildError

    if not (context / "Dockerfile").is_file():
        raise SandboxError(f"{context} has no Dockerfile; there is nothing to build {tag} from.")
    with engine_errors():
        client = docker.from_env(timeout=3600)
        try:
            image, _ = client.images.build(
                path=str(context), tag=tag, buildargs=dict(buildargs or {}), network_mode=network, rm=True, forcerm=True
            )
        except BuildError as problem:
            lines = [str(line.get("stream") or line.get("error") or "").strip() for line in problem.build_log]
            step = next((line for line in reversed(lines) if line.startswith("Step ")), "the first step")
            raise SandboxError(f"Building {tag} failed at {step!r}: {str(problem.msg).strip()}.") from problem
        finally:
            client.close()
    return str(image.id)
