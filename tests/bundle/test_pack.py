"""Packing and opening archives: the same bytes, nothing secret, and hostile archives harmless."""

from __future__ import annotations

import gzip
import io
import json
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from bundle_kit import Made, failing, make_bundle
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from running_kit import World
from toys import CANARY

from mlebench.bundle.index import NotABundleError
from mlebench.bundle.pack import pack
from mlebench.bundle.secrets import Secrets, provider_keys, secret_values
from mlebench.data.manifest import Manifest, hash_files
from mlebench.errors import BundleError, UsageError

KEY = "sk-proj-0123456789abcdef"
KINDS = [".tar.gz", ".zip"]


@pytest.fixture
def made(world: World) -> Made:
    return make_bundle(world)


def _pack(made: Made, kind: str = ".tar.gz", secrets: Secrets | None = None, name: str = "out") -> Path:
    target = made.world.root / f"{name}{kind}"
    pack(made.folder, target, "made-toy-s0", secrets or Secrets())
    return target


def _members(path: Path) -> dict[str, bytes]:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as opened:
            return {name: opened.read(name) for name in opened.namelist()}
    with tarfile.open(path) as opened:
        return {one.name: opened.extractfile(one).read() for one in opened}  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_bundle_gives_the_same_bytes_and_verifies(made: Made, kind: str) -> None:
    first = _pack(made, kind)
    for path in made.folder.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o700)
    second = _pack(made, kind, name="again")
    assert first.read_bytes() == second.read_bytes()
    result = made.verify(path=first, answers=True, expected=made.digest)
    assert not result.failed and not result.problems
    members = _members(first)
    assert next(iter(members)) == "made-toy-s0/bundle.json"
    there = {f"made-toy-s0/{p.relative_to(made.folder).as_posix()}" for p in made.folder.rglob("*") if p.is_file()}
    assert set(members) == there


def test_tar_members_belong_to_nobody(made: Made) -> None:
    with tarfile.open(_pack(made)) as opened:
        for one in opened:
            assert one.isreg() and one.uid == one.gid == 0 and one.uname == one.gname == ""
            assert stat.S_IMODE(one.mode) == 0o644 and not one.name.startswith(("/", ".."))


def test_odd_names_survive_in_a_tar_and_are_refused_in_a_zip(made: Made) -> None:
    Path(os.fsdecode(os.fsencode(made.folder / "code") + b"/a\nb\xff")).write_text("x")
    made.seal()
    assert not made.verify(path=_pack(made)).problems
    with pytest.raises(BundleError, match=r"\.tar\.gz"):
        _pack(made, ".zip")


def test_links_are_left_out(made: Made) -> None:
    secret = made.world.root / "secret"
    secret.write_text(CANARY)
    (made.folder / "code" / "link").symlink_to(secret)
    made.seal()
    packed = _pack(made)
    assert CANARY.encode() not in b"".join(_members(packed).values())
    assert not made.verify(path=packed).problems


@pytest.mark.parametrize("where", ["agent.log", "code/deep/file.bin", "control/notes", "events.jsonl"])
def test_a_key_inside_is_refused(made: Made, where: str) -> None:
    path = made.folder / where
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_bytes() if path.exists() else b""
    path.write_bytes(before + bytes((4 << 20) - 5) + KEY.encode() + b"tail")  # across the blocks that are read
    made.seal()
    secrets = Secrets(secret_values({"OPENAI_API_KEY": KEY, "PATH": "/usr/bin", "LANG": "C.UTF-8"}))
    with pytest.raises(BundleError, match=r"holds the value of OPENAI_API_KEY") as told:
        _pack(made, secrets=secrets)
    assert KEY not in str(told.value) and where in str(told.value)
    assert not list(made.world.root.glob("*out*"))


def test_keys_of_providers_are_known_from_their_files(made: Made) -> None:
    root = made.world.root
    (root / "key").write_text(KEY + "\n")
    (root / "key").chmod(0o600)
    own = root / "providers.toml"
    own.write_text(
        f'[providers.mine]\nkey_file = "{root / "key"}"\nspeaks = {{ openai-chat = "http://127.0.0.1:1/v1" }}\n'
    )
    keys = provider_keys(own, {"ANTHROPIC_API_KEY": "sk-ant-0123456789"})
    assert keys["the key of mine"] == KEY and keys["the key of anthropic"] == "sk-ant-0123456789"
    assert "the key of openai" not in keys
    assert provider_keys(root / "gone.toml", {}).keys() == provider_keys(None, {}).keys()
    (made.folder / "agent.log").write_text(f"my key is {KEY}")
    made.seal()
    with pytest.raises(BundleError, match="the key of mine"):
        _pack(made, secrets=Secrets(keys))


def test_a_key_in_the_record_is_refused(made: Made) -> None:
    made.config = made.config.model_copy(update={"options": {"key": KEY}})
    made.seal()
    with pytest.raises(BundleError, match=r"bundle\.json holds"):
        _pack(made, secrets=Secrets({"MY_TOKEN": KEY}))


def test_the_gateways_key_is_in_no_bundle(made: Made) -> None:
    made.change(gateway_key="mlebench-run-scoped-key")
    made.seal()
    assert b"run-scoped-key" not in b"".join(_members(_pack(made)).values())


def test_answers_inside_are_refused(made: Made) -> None:
    from mlebench.bundle.regrade import answer_hashes
    from mlebench.data.paths import DataDir

    paths = DataDir(made.world.root / "data").paths("toy")
    Manifest(competition="toy", edition="v1", source="folder", files=hash_files(paths.prepared)).write(paths.manifest)
    (made.folder / "logs" / "x").write_bytes((paths.private / "test.csv").read_bytes())
    made.seal()
    with pytest.raises(BundleError, match=r"logs/x is the same file as private/test\.csv"):
        _pack(made, secrets=Secrets(answers=answer_hashes(paths)))


def test_what_is_not_as_sealed_is_not_packed(made: Made) -> None:
    (made.folder / "agent.log").write_text("HELLO\n")
    with pytest.raises(BundleError, match="not as it was sealed"):
        _pack(made)
    (made.folder / "agent.log").unlink()
    with pytest.raises(BundleError, match="not as it was sealed"):
        _pack(made)
    with pytest.raises(UsageError, match=r"must end in \.tar\.gz"):
        _pack(made, ".rar")
    (made.folder / "bundle.json").unlink()
    with pytest.raises(NotABundleError, match="not been sealed"):
        _pack(made)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), kind=st.sampled_from(KINDS))
def test_any_flipped_bit_of_an_archive_is_found_or_changes_nothing(
    made: Made, place: float, bit: int, kind: str
) -> None:
    path = made.world.root / f"flip{kind}"
    if not path.exists():
        pack(made.folder, path, "p", Secrets())
    before = path.read_bytes()
    changed = bytearray(before)
    changed[int(place * len(before))] ^= 1 << bit
    path.write_bytes(changed)
    try:
        result = made.verify(path=path, expected=made.digest)
    except NotABundleError:
        return
    finally:
        path.write_bytes(before)
    # Dates, modes and the like in the archive's own headers are no part of the bundle.
    if not result.failed:
        assert not result.problems and result.digest == made.digest


def _tar(path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with tarfile.open(path, "w:gz") as out:
        for info, content in members:
            info.size = len(content) if info.isreg() else 0
            out.addfile(info, io.BytesIO(content))
    return path


def _hostile(made: Made, *extra: tuple[tarfile.TarInfo, bytes]) -> Path:
    whole = [(tarfile.TarInfo(name), content) for name, content in _members(_pack(made)).items()]
    return _tar(made.world.root / "hostile.tar.gz", [*whole, *extra])


def _link(kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo("made-toy-s0/link")
    info.type, info.linkname = kind, "/etc/passwd"
    return info


@pytest.mark.parametrize(
    "info",
    [
        tarfile.TarInfo("../escape"),
        tarfile.TarInfo("/absolute"),
        tarfile.TarInfo("made-toy-s0/../../escape"),
        tarfile.TarInfo("elsewhere/file"),
        tarfile.TarInfo("made-toy-s0/agent.log"),
        tarfile.TarInfo("made-toy-s0/snapshots/9.csv.gz"),
        _link(tarfile.SYMTYPE),
        _link(tarfile.LNKTYPE),
        _link(tarfile.FIFOTYPE),
        _link(tarfile.CHRTYPE),
    ],
    ids=lambda info: f"{info.name}-{info.type!r}",
)
def test_hostile_members_are_found_and_written_nowhere(made: Made, info: tarfile.TarInfo) -> None:
    before = sorted(made.world.root.rglob("*"))
    result = made.verify(path=_hostile(made, (info, b"hostile")))
    assert "files" in failing(result)
    after = set(made.world.root.rglob("*")) - set(before)
    assert {path.name for path in after} == {"hostile.tar.gz", "out.tar.gz"}


def test_a_bomb_ends_soon(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlebench.bundle.source._UNLISTED_BYTES", 1 << 20)
    path = made.world.root / "bomb.zip"
    pack(made.folder, path, "p", Secrets())
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as out:
        out.writestr("p/zeros", bytes(60 << 20))
    result = made.verify(path=path)
    assert "files" in failing(result) and any("too much" in problem for problem in result.problems)


def test_an_index_that_names_a_bomb_is_only_hashed(made: Made) -> None:
    """A listed file of any size is never written down, unless its content is looked at."""
    big = made.folder / "logs" / "zeros"
    with big.open("wb") as file:
        file.truncate(80 << 20)
    made.seal()
    assert not made.verify(path=_pack(made)).problems


def test_a_snapshot_inside_an_archive_cannot_name_a_path(made: Made) -> None:
    index = json.loads((made.folder / "bundle.json").read_text())
    assert not any(name.startswith("..") for name in index["files"])
    path = _hostile(made, (tarfile.TarInfo("made-toy-s0/snapshots/../../../x"), b""))
    assert "files" in failing(made.verify(path=path))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK",
        b"PK\x03\x04" + bytes(40),
        gzip.compress(b"", mtime=0),
        gzip.compress(b"x" * 2000, mtime=0),
        b"\x1f\x8b",
        bytes(10_240),
    ],
)
def test_rubbish_is_no_bundle(made: Made, content: bytes) -> None:
    path = made.world.root / "rubbish.tar.gz"
    path.write_bytes(content)
    with pytest.raises(NotABundleError):
        made.verify(path=path)


def _prefix(text: str) -> Callable[[str], str]:
    return lambda name: name.replace("made-toy-s0/", text)


@pytest.mark.parametrize("rename", [_prefix(""), _prefix("./"), _prefix("other/")], ids=["bare", "dot", "other"])
def test_archives_made_by_other_tools_are_read(made: Made, rename: Callable[[str], str]) -> None:
    members = [(tarfile.TarInfo(rename(name)), content) for name, content in _members(_pack(made)).items()]
    path = _tar(made.world.root / "other.tar.gz", members[::-1])
    assert not made.verify(path=path).problems
