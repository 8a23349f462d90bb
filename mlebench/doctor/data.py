"""The data directory: can it be written, is there room, what is prepared?"""

from __future__ import annotations

import tempfile
from pathlib import Path

from mlebench.competition import EDITIONS
from mlebench.data.manifest import read_manifest
from mlebench.data.paths import DataDir, PreparedPaths
from mlebench.data.space import free_bytes
from mlebench.doctor.finding import Finding, ok, problem, warning
from mlebench.errors import DataError
from mlebench.text import size

_FULL = 1_000_000_000
_LITTLE = 50_000_000_000
_LARGE_MANIFEST = 4_000_000
"""A larger manifest is not parsed, only its end is looked at: this has to be quick."""
_FILES = 20
"""How many files of each competition are looked at."""


def free_disk(data_dir: DataDir) -> list[Finding]:
    """Room for data."""
    free = free_bytes(data_dir.root)
    detail = f"{size(free)} free for {data_dir.root}"
    if free < _FULL:
        return [problem("Disk", detail, "free space (`mlebench disk` shows who takes it), or use another --data-dir")]
    if free < _LITTLE:
        return [warning("Disk", detail, "enough for small competitions; the whole benchmark takes 3.3 TB")]
    return [ok("Disk", detail)]


def data_directory(data_dir: DataDir) -> list[Finding]:
    """Can it be written, and is what is prepared in it whole, as far as a quick look can tell?"""
    findings = [_writable(data_dir.root)]
    prepared = [paths for paths in _all_paths(data_dir) if paths.prepared.is_dir()]
    complaints = {str(paths.prepared.relative_to(data_dir.root)): _complaint(paths) for paths in prepared}
    bad = {name: complaint for name, complaint in complaints.items() if complaint}
    for name, complaint in bad.items():
        advice = f"run `mlebench prepare {Path(name).parts[0]} --force`"
        findings.append(problem("Prepared data", f"{name}: {complaint}", advice))
    if prepared and not bad:
        whole = f"{len(prepared)} prepared, whole at a glance (`mlebench verify` looks at every byte)"
        findings.append(ok("Prepared data", whole))
    if not prepared:
        advice = "run `mlebench demo`, or `mlebench prepare spaceship-titanic --source synthetic`"
        findings.append(warning("Prepared data", "nothing is prepared yet", advice))
    return findings


def _writable(root: Path) -> Finding:
    nearest = root
    while not nearest.exists():
        nearest = nearest.parent
    try:
        tempfile.TemporaryFile(dir=nearest).close()
    except OSError as error:
        advice = "make it yours (chown), free space, or use another --data-dir"
        return problem("Data directory", f"{nearest} cannot be written: {error.strerror}", advice)
    return ok("Data directory", f"{root} can be written" if nearest == root else f"{root} can be made")


def _all_paths(data_dir: DataDir) -> list[PreparedPaths]:
    try:
        homes = sorted(path.name for path in data_dir.root.iterdir() if path.is_dir())
    except OSError:
        return []
    return [data_dir.paths(home, edition) for home in homes for edition in EDITIONS]


def _complaint(paths: PreparedPaths) -> str:
    """What is wrong with a prepared folder; empty when nothing is seen to be."""
    try:
        length = paths.manifest.stat().st_size
        if length > _LARGE_MANIFEST:
            return "" if _closes(paths.manifest) else "its manifest is cut off"
        manifest = read_manifest(paths.manifest)
        assert manifest is not None
    except FileNotFoundError:
        absent = [path.name for path in (paths.public, paths.private) if not path.is_dir()]
        return f"lacks {' and '.join(absent)}" if absent else ""  # another tool's; `prepare` adopts it
    except DataError:
        return "its manifest is damaged"
    for name, entry in list(manifest.files.items())[:_FILES]:
        path = paths.prepared / name
        if not path.is_file():
            return f"{name} is missing"
        if path.stat().st_size != entry.size:
            return f"{name} has another size than when it was prepared"
    return ""


def _closes(manifest: Path) -> bool:
    with manifest.open("rb") as file:
        file.seek(-16, 2)
        return file.read().rstrip().endswith(b"}")
