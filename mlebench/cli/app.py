"""The typer application: collects the verbs and turns errors into one sentence and an exit code."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from mlebench import __version__

app = typer.Typer(
    name="mlebench",
    help="Prepare Kaggle competitions offline, run ML-engineering agents on them, grade what they submit.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"mlebench {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; errors of ours become one sentence on stderr and the error's exit code."""
    from mlebench.cli import verbs  # noqa: F401  (importing it registers every verb)
    from mlebench.errors import MlebenchError, os_error_told

    try:
        app()
    except MlebenchError as error:
        typer.secho(f"Error: {error}", err=True, fg="red")
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        told = os_error_told(error)
        if told is None:
            raise
        typer.secho(f"Error: {told}", err=True, fg="red")
        sys.exit(1)
