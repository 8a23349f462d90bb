"""What an image is built from, and when it is up to date; no engine is asked."""

from __future__ import annotations

import io
import os
import socket
import tarfile
from pathlib import Path
from typing import Any

import pytest
from agents_kit import PretendEngine, make_agent

from mlebench.agents.agent import load_agent
from mlebench.agents.context import context_digest, write_context
from mlebench.agents.images import Build, Held, Recipe, decide, image_state, recipe_for, recipe_of, up_to_date
from mlebench.errors import UsageError

DOCKERFILE = """
ARG BASE_IMAGE=mlebench-agent
FROM ${BASE_IMAGE}
ARG VERSION=1
ARG CODE_SOURCE=
COPY source/ /src/
"""
TOML = '[build]\nargs = { VERSION = "2" }\nsource = "CODE_SOURCE"\n'


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    return recipe_of(load_agent(str(make_agent(tmp_path / "own", DOCKERFILE, TOML))))


def built(build: Build, engine: PretendEngine, base: str = "sha256:base") -> None:
    """As if the engine had carried out this build."""
    engine.images[build.recipe.image] = Held("sha256:made", 1, build.labels(base))
    engine.images[build.base or ""] = Held(base, 1, {})


def members(folder: Path, source: Path | None = None) -> dict[str, tarfile.TarInfo]:
    archive = io.BytesIO()
    write_context(archive, folder, source, "source")
    archive.seek(0)
    with tarfile.open(fileobj=archive) as tar:
        return {one.name: one for one in tar}


def test_arguments_are_defaults_then_what_was_chosen_before_then_what_is_chosen_now(recipe: Recipe) -> None:
    engine: Any = PretendEngine()
    build, held = decide(recipe, engine)
    assert build.args == {"BASE_IMAGE": "mlebench-agent", "VERSION": "2"} and held is None
    chosen, _ = decide(recipe, engine, {"VERSION": "3", "BASE_IMAGE": "mine"})
    built(chosen, engine)
    again, held = decide(recipe, engine)
    assert again.args == {"BASE_IMAGE": "mine", "VERSION": "3"} and up_to_date(again, held, engine)
    back, held = decide(recipe, engine, {"VERSION": ""})
    assert back.args == {"BASE_IMAGE": "mine", "VERSION": "2"} and not up_to_date(back, held, engine)


def test_an_image_built_by_hand_has_no_choices_of_its_own(recipe: Recipe) -> None:
    engine: Any = PretendEngine()
    below = Recipe("mlebench-agent", recipe.folder, recipe.args, recipe.source_arg)
    chosen, _ = decide(below, engine, {"BASE_IMAGE": "mine"})
    # `docker build` with a FROM hands the labels of the image below on.
    engine.images[recipe.image] = Held("sha256:by-hand", 1, chosen.labels("sha256:base"))
    build, held = decide(recipe, engine)
    assert build.args["BASE_IMAGE"] == "mlebench-agent" and not up_to_date(build, held, engine)


def test_a_file_an_argument_or_the_base_makes_it_stale(recipe: Recipe) -> None:
    engine: Any = PretendEngine()
    build, _ = decide(recipe, engine)
    built(build, engine)
    agent = load_agent(str(recipe.folder))
    assert image_state(agent, engine) == ("built", 1)
    for name in ("README.md", "scripted/demo.json", "__pycache__/start.pyc"):
        (recipe.folder / name).parent.mkdir(exist_ok=True)
        (recipe.folder / name).write_text("what describes the agent is no part of its image")
    assert image_state(agent, engine) == ("built", 1)
    (recipe.folder / "start.py").chmod(0o755)
    assert image_state(agent, engine) == ("stale", 1)
    built(decide(recipe, engine)[0], engine)
    assert image_state(agent, engine) == ("built", 1)
    engine.images["mlebench-agent"] = Held("sha256:another", 1, {})
    assert image_state(agent, engine) == ("stale", 1)
    del engine.images["mlebench-agent"]
    assert image_state(agent, engine) == ("built", 1)  # nothing to compare with: the base was removed
    del engine.images[recipe.image]
    assert image_state(agent, engine) == ("missing", None)
    assert image_state(agent, None) == ("unknown", None)


def test_own_bases_stand_in_for_public_ones(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLEBENCH_BASE_IMAGES", "other=x mlebench-agent=registry.internal/ours:1")
    engine: Any = PretendEngine()
    build, _ = decide(recipe, engine)
    assert build.base == "registry.internal/ours:1"
    built(build, engine)
    monkeypatch.delenv("MLEBENCH_BASE_IMAGES")
    assert decide(recipe, engine)[0].base == "registry.internal/ours:1"
    assert decide(recipe, engine, {"BASE_IMAGE": "this"})[0].base == "this"


def test_a_source_is_part_of_what_is_built(recipe: Recipe) -> None:
    engine: Any = PretendEngine()
    build, _ = decide(recipe, engine, source="abc")
    assert build.args["CODE_SOURCE"] == "source"
    built(build, engine)
    again, held = decide(recipe, engine)
    assert up_to_date(again, held, engine)
    other, held = decide(recipe, engine, source="def")
    assert not up_to_date(other, held, engine)


def test_unknown_arguments_are_refused(recipe: Recipe) -> None:
    engine: Any = PretendEngine()
    with pytest.raises(UsageError, match="no build argument NOPE; it has: BASE_IMAGE, VERSION, CODE_SOURCE"):
        decide(recipe, engine, {"NOPE": "1"})


def test_whose_image_it_is(tmp_path: Path) -> None:
    assert recipe_of(load_agent("dummy")) == recipe_for("mlebench-agent") == recipe_for("mlebench-agent:latest")
    own = make_agent(tmp_path / "plain", "FROM scratch\n")
    assert recipe_of(load_agent(str(own))).args == {}  # no BASE_IMAGE in it, so none is given
    (own / "agent.toml").write_text('name = "plain"\ntitle = "T"\ncommand = ["x"]\n')
    with pytest.raises(UsageError, match='such as "mlebench-plain"'):
        recipe_of(load_agent(str(own)))
    foreign = make_agent(tmp_path / "foreign", toml='image = "elsewhere/one:3"\n')
    with pytest.raises(UsageError, match="docker pull elsewhere/one:3"):
        recipe_of(load_agent(str(foreign)))


def test_a_context_holds_what_belongs_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_agent(tmp_path / "own", "FROM scratch\n")
    (folder / ".dockerignore").write_text("# secrets stay\n*.key\n*.crt\n")
    (folder / "my.key").write_text("secret")
    (folder / "link").symlink_to("start.py")
    os.mkfifo(folder / "pipe")
    door = socket.socket(socket.AF_UNIX)
    door.bind(str(folder / "socket"))
    source = tmp_path / "code"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "module.py").write_text("")
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("certificate")
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    found = members(folder, source)
    door.close()
    assert set(found) == {*("Dockerfile", "start.py", "link", "ca", "ca/bundle.crt", "source", "source/deep/module.py")}
    assert found["link"].issym() and found["start.py"].mode == 0o644 and found["start.py"].mtime == 0
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none"))
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    assert {"ca", "source"} <= set(members(folder)) and "ca/bundle.crt" not in members(folder)


def test_the_digest_depends_on_names_and_contents_alone(tmp_path: Path) -> None:
    one, two = make_agent(tmp_path / "a" / "x", "FROM scratch\n"), make_agent(tmp_path / "b" / "x", "FROM scratch\n")
    os.utime(two / "start.py", (1, 1))
    assert context_digest(one, {}) == context_digest(two, {})
    (two / "start.py").rename(two / "begin.py")
    assert context_digest(one, {}) != context_digest(two, {})


@pytest.mark.parametrize("style", ["Step {n}/2 : {what}", "STEP {n}/2: {what}"])
def test_steps_of_docker_and_podman_are_told_and_a_failure_names_its_step(tmp_path: Path, style: str) -> None:
    from mlebench.agents.building import BuildError, BuildOptions, Silent, ensure_image

    told: list[tuple[int, int, str]] = []

    class Watch(Silent):
        def step(self, number: int, total: int, text: str, seconds: float) -> None:
            told.append((number, total, text))

    class Api:
        def build(self, **asked: Any) -> Any:
            assert asked["fileobj"].read(4) and asked["labels"]["mlebench.digest"] and asked["network_mode"] == "host"
            yield {"stream": style.format(n=1, what="FROM scratch") + "\n"}
            yield {"stream": " ---> 0123\nfrom another step\n"}
            yield {"stream": style.format(n=2, what="RUN false") + "\n"}
            yield {"stream": "one\ntwo\n"}
            yield {"error": "The command returned a non-zero code: 1"}

    engine: Any = PretendEngine()
    engine.client = type("Client", (), {"api": Api()})()
    folder = make_agent(tmp_path / "own", "FROM scratch\nRUN false\n")
    with pytest.raises(BuildError, match=r"failed in step 2 of 2 \(RUN false\), after 0 s: .* code: 1\.") as failure:
        ensure_image(recipe_of(load_agent(str(folder))), engine, BuildOptions({}, network="host"), Watch())
    assert told == [(1, 2, "FROM scratch"), (2, 2, "RUN false")] and failure.value.lines == ["one", "two"]


def test_images_that_start_from_each_other_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlebench.agents import building
    from mlebench.agents.building import BuildOptions, Silent, ensure_image

    one = recipe_of(load_agent(str(make_agent(tmp_path / "one", "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\n"))))
    monkeypatch.setattr(building, "recipe_for", lambda image: one)
    engine: Any = PretendEngine()
    with pytest.raises(UsageError, match="a circle"):
        ensure_image(one, engine, BuildOptions({}), Silent())
