"""``weft version``."""

import sys

import click

from weft import __version__
from weft.cli.console import Console

__all__ = ["version"]


@click.command
@click.option(
    "-o", "--output", "form", type=click.Choice(["table", "json"]), default="table", show_default=True
)
@click.pass_obj
def version(console: Console, form: str) -> None:
    """Show the versions of weft and its parts."""
    from weft.toolchains import Toolbox
    from weft.workflows.authoring.toolchain import list_tools

    rows = [row for row in list_tools(Toolbox(console.places, console.env)) if row.state == "ready"]
    python = ".".join(str(part) for part in sys.version_info[:3])
    if form == "json":
        tools = {row.tool: {"version": row.version, "path": row.where} for row in rows}
        console.document({"weft": __version__, "python": python, "tools": tools}, form)
        return
    own = [("weft", __version__, ""), ("python", python, sys.executable)]
    console.table(
        ("PART", "VERSION", "WHERE"), own + [(row.tool, row.version or "", row.where) for row in rows]
    )
