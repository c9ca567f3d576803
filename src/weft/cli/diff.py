"""``weft diff``."""

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from weft.cli.console import Console
from weft.cli.options.intent import planned, planning_options

if TYPE_CHECKING:
    from weft.mesh import Change

__all__ = ["diff"]

# A module in a ConfigMap is one line.
_WIDEST = 400
_MARKS = {"added": "+", "removed": "-", "changed": "~"}


@click.command
@click.option("-f", "--file", "files", multiple=True, required=True, metavar="FILE|-", help="As it will be.")
@click.option("--from", "old", multiple=True, required=True, metavar="FILE", help="As it is.")
@planning_options
@click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="text: unified diffs of YAML.",
)
@click.option("--exit-code", is_flag=True, help="Exit with 1 when there are differences.")
@click.pass_obj
def diff(
    console: Console,
    /,
    files: tuple[str, ...],
    old: tuple[str, ...],
    form: str,
    exit_code: bool,
    **words: Any,
) -> None:
    """Show what a change of a filter's deployment would change.

    Both sides are planned as `weft render` does, and compared object by object.
    """
    from weft.workflows.deploying.render import compare

    before, after = planned(console, old, **words), planned(console, files, **words)
    found = compare(before, after)
    if form == "json":
        console.document([_document(change) for change in found], form)
    else:
        for line in (line for change in found for line in _lines(change)):
            console.data(line)
        if not found:
            console.talk("nothing changes")
    if exit_code and found:
        raise click.exceptions.Exit(1)


def _document(change: "Change") -> dict[str, Any]:
    return {"how": str(change.how), "what": change.what, "before": change.before, "after": change.after}


def _lines(change: "Change") -> Iterator[str]:
    from weft.base.documents import as_yaml

    yield f"{_MARKS[change.how]} {change.what}"
    old, new = ([] if side is None else as_yaml(side).splitlines() for side in (change.before, change.after))
    for line in list(difflib.unified_diff(old, new, lineterm="", n=2))[2:]:
        yield f"    {line}" if len(line) <= _WIDEST else f"    {line[:_WIDEST]}…"
