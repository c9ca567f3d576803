"""``weft demo``."""

import tempfile
from pathlib import Path

import click

from weft.cli.console import Console

__all__ = ["demo"]

# What is quickest to fetch where nothing is there yet; the others when their compilers are.
_PREFERRED = ("assemblyscript", "go", "cpp", "rust")


@click.command
@click.option("--language", metavar="NAME", help="Default: one whose compiler is here.")
@click.option("-y", "--yes", is_flag=True, help="Fetch a missing compiler or Envoy without asking.")
@click.pass_obj
def demo(console: Console, language: str | None, yes: bool) -> None:
    """From an empty folder to a header through a real Envoy.

    Makes, builds and runs a filter in a temporary folder, changes its config live, and cleans up.
    """
    from weft.base.tasks import run_until_told
    from weft.cli.provision import builder, envoy_program
    from weft.envoy import Levels, Native
    from weft.workflows.running.demo import demonstrate
    from weft.workflows.running.order import Host

    language = language or _language(console)
    program = Native(envoy_program(console, None, yes=yes))
    host = Host(program=program, env=console.env, levels=Levels(envoy="warning", wasm="info"))
    with tempfile.TemporaryDirectory(prefix="weft-demo-") as folder:
        story = demonstrate(
            Path(folder).resolve(),
            language=language,
            build=builder(console, yes=yes),
            host=host,
            say=console.data,
        )
        if run_until_told(story):
            console.talk("stopped")


def _language(console: Console) -> str:
    from weft.toolchains import LANGUAGES, Toolbox

    toolbox = Toolbox(console.places, console.env)
    here = (name for name in _PREFERRED if not toolbox.missing(LANGUAGES[name].tools))
    return next(here, _PREFERRED[0])
