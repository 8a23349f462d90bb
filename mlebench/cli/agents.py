"""`mlebench agents`: which agents there are, their images, whether one works, and a new one of your own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlebench.cli.app import app
from mlebench.cli.options import DataDirOption, JsonOption

if TYPE_CHECKING:
    from mlebench.agents.images import Recipe

agents_app = typer.Typer(name="agents", help="Look at agents, build, check and make them.", no_args_is_help=True)
app.add_typer(agents_app)

AgentArgument = Annotated[str, typer.Argument(metavar="NAME|FOLDER", help="A built-in agent, or an agent folder.")]


@agents_app.command("list")
def list_agents(as_json: JsonOption = False) -> None:
    """List the agents that ship with mlebench: what they are, and whether their image is built."""
    from mlebench.agents.images import find_engine
    from mlebench.agents.listing import summaries
    from mlebench.cli import render

    engine = find_engine()
    found = summaries(engine)
    if as_json:
        render.print_json(found)
        return
    from rich.table import Table

    table = Table(title=f"{len(found)} agents", title_justify="left")
    for heading in ("Agent", "What it does", "Model", "Image", "State", "Size", "Process"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "Size" else "left")
    for one in found:
        size = "" if one["image_bytes"] is None else render.size(one["image_bytes"])
        state = f"[{_COLOURS[one['image_state']]}]{one['image_state']}[/]"
        model, process = one["model"] or "none", "yes" if one["process"] else "no"
        table.add_row(one["name"], render.escape(one["title"]), model, one["image"], state, size, process)
    out = render.console()
    out.print(table)
    if engine is None:
        out.print("No container engine answers, so the images' states are unknown.", markup=False)
    elif any(one["image_state"] in ("missing", "stale") for one in found):
        out.print("Build an image with `mlebench agents build NAME`; `mlebench agents show NAME` says more.")


@agents_app.command("show")
def show(agent: AgentArgument, as_json: JsonOption = False) -> None:
    """Show what an agent is: command, image, models it needs, options with their defaults, README."""
    from mlebench.agents.agent import load_agent
    from mlebench.agents.images import find_engine
    from mlebench.agents.listing import details
    from mlebench.cli import render

    facts = details(load_agent(agent), find_engine())
    if as_json:
        render.print_json(facts)
        return
    from rich.markdown import Markdown

    out = render.console()

    def line(heading: str, text: object) -> None:
        out.print(f"{heading:<12}{text}", markup=False, highlight=False, soft_wrap=True)

    line(facts["name"], facts["title"])
    line("folder", facts["folder"])
    line("command", " ".join(facts["command"]))
    size = "" if facts["image_bytes"] is None else f", {render.size(facts['image_bytes'])}"
    line("image", f"{facts['image']} ({facts['image_state']}{size})")
    line("runs in", "containers, or as a process of this machine" if facts["process"] else "containers only")
    line("network", "needs it" if facts["network"] else "not needed")
    line("model", f"needs one that speaks {facts['model']}" if facts["model"] else "none")
    for role, what in facts["roles"].items():
        line("  role", f"{role}: {what}  (--model {role}=PROVIDER/NAME)")
    for name, option in facts["options"].items():
        line("option", f"{name}={option['default']}  {option['help']}")
    for name, value in facts["needs"].items():
        if value:
            line("needs", f"{name.replace('_', ' ')} {value}")
    if facts["scripted"]:
        line("scripted", ", ".join(f"scripted/{name}" for name in facts["scripted"]) + "  (--model, needs no model)")
    if facts["readme"]:
        out.print()
        out.print(Markdown(facts["readme"]))


@agents_app.command("build")
def build(
    agents: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME|FOLDER|IMAGE]...", help="Agents, or mlebench-agent itself.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every agent that ships with mlebench.")] = False,
    build_arg: Annotated[
        list[str] | None,
        typer.Option(help="KEY=VALUE (repeatable); kept for later builds; KEY= goes back to the default."),
    ] = None,
    source: Annotated[
        Path | None, typer.Option(help="A folder for the build context, for agents built from a source folder.")
    ] = None,
    network: Annotated[str | None, typer.Option(help="Network of the build's steps, such as host.")] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Build every step anew.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Build the container images that agents run in, and those they start from; what is up to date stays.

    A proxy's own certificates are taken from SSL_CERT_FILE or REQUESTS_CA_BUNDLE, another package index from
    PIP_INDEX_URL. MLEBENCH_BASE_IMAGES="PUBLIC=MINE ..." names images to take in place of public ones.
    """
    from mlebench.agents.building import BuildError, BuildOptions, ensure_image
    from mlebench.agents.images import Engine
    from mlebench.cli import render
    from mlebench.cli.build_progress import BuildProgress
    from mlebench.errors import SandboxError

    recipes = _recipes(agents or [], every)
    options = BuildOptions(_pairs(build_arg or []), source, network, not no_cache)
    engine = Engine()
    notes = render.console(stderr=True)
    failed: list[SandboxError] = []
    results: list[dict[str, Any]] = []
    for recipe in recipes:
        with BuildProgress(notes) as progress:
            try:
                ensure_image(recipe, engine, options, progress)
            except SandboxError as error:
                for text in error.lines if isinstance(error, BuildError) else ():
                    notes.print(f"  | {text}", markup=False, highlight=False, soft_wrap=True)
                if len(recipes) == 1:
                    raise
                failed.append(error)
                typer.secho(f"Error: {error}", err=True, fg="red")
            except KeyboardInterrupt:
                notes.print(f"Interrupted. What {recipe.image} was before, it is still.", highlight=False)
                raise typer.Exit(130) from None
        results.extend(progress.results)
    if as_json:
        render.print_json(results)
    if failed:
        raise SandboxError(f"{len(failed)} of {len(recipes)} images could not be built.")


@agents_app.command("check")
def check(
    agent: AgentArgument,
    model: Annotated[str, typer.Option("--model", "-m", help="The model to check it with.")] = "scripted/demo",
    sandbox: Annotated[str, typer.Option(help="docker, or process: no isolation, for agents you trust.")] = "docker",
    time_limit: Annotated[str, typer.Option(help="Time limit of the first run.")] = "90s",
    network: Annotated[str, typer.Option(help="none, full, or allow=HOST,HOST: what the agent reaches.")] = "none",
    data_dir_option: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run an agent for a minute on a practice competition and say line by line what works.

    It runs twice: with the scripted model of its folder (or --model), and with one that never answers, to see that
    it ends with its time. Exit code 1 when something fails.
    """
    import shutil
    import tempfile

    from mlebench.agents.agent import load_agent
    from mlebench.agents.check import COMPETITION, CheckOptions, Verdict, check_agent, require_practice
    from mlebench.agents.check_runs import Bench
    from mlebench.cli import render
    from mlebench.duration import parse_duration

    chosen = load_agent(agent)
    options = CheckOptions(model=model, sandbox=sandbox, seconds=max(1, round(parse_duration(time_limit))))
    out, lines = render.console(), []
    folder = Path(tempfile.mkdtemp(prefix="mlebench-check-"))
    works = keep = False
    try:
        data = require_practice(folder, data_dir_option)
        bench = Bench(folder, data, COMPETITION, sandbox, network)
        for line in check_agent(chosen, options, bench):
            lines.append(line)
            if not as_json:
                mark = f"[{_MARKS[line.verdict]}]{line.verdict.value:<4}[/]"
                out.print(f"{mark}  {line.what:<22}{render.escape(line.detail)}", soft_wrap=True, highlight=False)
        works = all(line.verdict is not Verdict.FAIL for line in lines)
        keep = not works and bench.ran
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    if as_json:
        found = [{"what": one.what, "verdict": one.verdict.value, "detail": one.detail} for one in lines]
        render.print_json(
            {"agent": chosen.name, "works": works, "lines": found, "folder": str(folder) if keep else None}
        )
    elif works:
        out.print(f"{chosen.name} works.", markup=False)
    else:
        where = f"The runs lie in {folder}." if keep else "It was not run."
        out.print(f"Not everything works. {where}", markup=False, soft_wrap=True)
    if not works:
        raise typer.Exit(1)


@agents_app.command("new")
def new(
    name: Annotated[str, typer.Argument(help="The new agent's name; becomes the folder's.")],
    folder: Annotated[Path, typer.Option("--dir", help="Where the folder goes.")] = Path(),
    docker: Annotated[bool, typer.Option("--docker", help="With a Dockerfile: an image of its own.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write a small agent of your own that works at once: it asks the model for a script, runs it, and again."""
    from mlebench.agents.scaffold import new_agent
    from mlebench.cli import render

    target = folder / name
    written = new_agent(name, folder, docker=docker)
    if as_json:
        render.print_json({"folder": str(target), "files": [str(path) for path in written]})
        return
    out = render.console()
    for path in written:
        out.print(f"  {path}", markup=False, highlight=False, soft_wrap=True)
    shown = str(target) if target.is_absolute() else f"./{target}"
    build = f"mlebench agents build {shown} && " if docker else ""
    out.print(f"Try it: {build}mlebench agents check {shown}", markup=False, highlight=False, soft_wrap=True)


_MARKS = {"ok": "green", "note": "yellow", "fail": "bold red", "skip": "dim"}
_COLOURS = {"built": "green", "foreign": "green", "stale": "yellow", "missing": "red", "unknown": "dim"}


def _recipes(names: list[str], every: bool) -> list[Recipe]:
    from mlebench.agents.agent import builtin_agents, load_agent
    from mlebench.agents.images import recipe_for, recipe_of
    from mlebench.errors import UsageError

    if every == bool(names):
        raise UsageError("Say what to build: names of agents, agent folders, mlebench-agent, or --all.")
    if every:
        found = [recipe_of(load_agent(name)) for name in builtin_agents()]
    else:
        found = [recipe_for(name) or recipe_of(load_agent(name)) for name in names]
    return list({recipe.image: recipe for recipe in found}.values())


def _pairs(words: list[str]) -> dict[str, str]:
    from mlebench.errors import UsageError

    pairs = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise UsageError(f"The build argument {word!r} is not of the form KEY=VALUE.")
        pairs[key] = value
    return pairs
