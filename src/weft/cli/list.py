"""``weft list``: the images of this machine, in wasme's columns."""

from typing import TYPE_CHECKING

import click

from weft.cli.console import Console
from weft.cli.sizes import human_size

if TYPE_CHECKING:
    from weft.store import Entry

__all__ = ["list_images"]

_TAG_WIDTH = 32
_HEADER = ("NAME", "TAG", "SIZE", "SHA", "UPDATED")
_RFC822 = "%d %b %y %H:%M %Z"


@click.command("list")
@click.option("-w", "--wide", is_flag=True, help="Show long tags whole.")
@click.option("-d", "--show-dir", is_flag=True, help="Show the file that is the module, or that holds it.")
@click.option(
    "-o", "--output", "form", type=click.Choice(["table", "json", "yaml"]), default="table", show_default=True
)
@click.pass_obj
def list_images(console: Console, wide: bool, show_dir: bool, form: str) -> None:
    """List the images of this machine.

    SIZE and SHA are those of the module. A broken image is listed as such, and why on stderr.
    """
    from weft.store import Store
    from weft.workflows import images

    entries = images.list_images(Store(console.places.store))
    if form == "table":
        header = (*_HEADER, "DIRECTORY") if show_dir else _HEADER
        console.table(header, [_row(entry, wide=wide, show_dir=show_dir) for entry in entries])
        if not entries:
            console.talk("no images yet; `weft build` makes one")
    else:
        console.document([images.entry_document(entry) for entry in entries], form)
    for entry in entries:
        if entry.problem:
            console.talk(f"warning: {_printable(entry.name)} is broken: {entry.problem}")


def _row(entry: "Entry", *, wide: bool, show_dir: bool) -> tuple[str, ...]:
    reference = entry.reference
    name = reference.name if reference else entry.name
    tag = (reference.tag or str(reference.digest)) if reference else "-"
    if len(tag) > _TAG_WIDTH and not wide:
        tag = tag[:_TAG_WIDTH] + "..."
    size = human_size(entry.module.size) if entry.module else "-"
    sha = entry.module.digest.short if entry.module and not entry.problem else "broken"
    updated = entry.updated.astimezone().strftime(_RFC822)
    row = (_printable(name), tag, size, sha, updated)
    return (*row, str(entry.path)) if show_dir else row


def _printable(text: str) -> str:
    """Names that other tools wrote may hold anything; a terminal must not obey it."""
    return text if text.isprintable() else text.encode("unicode_escape").decode()
