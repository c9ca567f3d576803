"""``weft list``: the images of this machine, or of a repository, in wasme's columns."""

from typing import TYPE_CHECKING, Any

import click

from weft.cli.console import Console
from weft.cli.options.registry import access_of, credential_options, trust_options
from weft.cli.output.sizes import human_size
from weft.errors import UsageError

if TYPE_CHECKING:
    from weft.store import Entry
    from weft.workflows.images.published import Published

__all__ = ["list_images"]

_TAG_WIDTH = 32
_HEADER = ("NAME", "TAG", "SIZE", "SHA", "UPDATED")
_RFC822 = "%d %b %y %H:%M %Z"


@click.command("list")
@click.argument("repository", metavar="[REPO]", default="")
@click.option("--published", is_flag=True, help="List the tags of REPO in its registry.")
@click.option("-w", "--wide", is_flag=True, help="Show long tags whole.")
@click.option("-d", "--show-dir", is_flag=True, help="Show the file that is the module, or that holds it.")
@click.option(
    "-o", "--output", "form", type=click.Choice(["table", "json", "yaml"]), default="table", show_default=True
)
@credential_options
@trust_options
@click.pass_obj
def list_images(
    console: Console,
    /,
    repository: str,
    published: bool,
    wide: bool,
    show_dir: bool,
    form: str,
    **access: Any,
) -> None:
    """List the images of this machine, or the published ones of a repository.

    SIZE and SHA are those of the module. A broken image is listed as such, and why on stderr.
    """
    if published or repository:
        _list_published(console, repository, published, form, access, wide=wide)
        return
    from weft.store import Store
    from weft.workflows.images import stored

    entries = stored.list_images(Store(console.places.store))
    if form == "table":
        header = (*_HEADER, "DIRECTORY") if show_dir else _HEADER
        console.table(header, [_row(entry, wide=wide, show_dir=show_dir) for entry in entries])
        if not entries:
            console.talk("no images yet; `weft build` makes one")
    else:
        console.document([stored.entry_document(entry) for entry in entries], form)
    for entry in entries:
        if entry.problem:
            console.talk(f"warning: {_printable(entry.name)} is broken: {entry.problem}")


def _list_published(
    console: Console, repository: str, published: bool, form: str, access: dict[str, Any], *, wide: bool
) -> None:
    if not published:
        raise UsageError("only --published takes a repository", hint=f"weft list --published {repository}")
    if not repository:
        raise UsageError("name a repository", hint="weft list --published hub.example.com/team/filter")
    import asyncio

    from weft.oci import Reference
    from weft.workflows.images.published import Published, list_published
    from weft.workflows.images.registries import open_registries

    reference = Reference.parse(repository)

    async def run() -> list[Published]:
        async with open_registries(console.env, [reference.registry], access_of(access)) as registries:
            return await list_published(registries, reference)

    rows = asyncio.run(run())
    if form == "table":
        console.table(_HEADER, [_published_row(row, wide=wide) for row in rows])
    else:
        console.document([row.to_json() for row in rows], form)
    for row in rows:
        if row.problem:
            console.talk(f"warning: {row.reference} is broken: {row.problem}")


def _published_row(row: "Published", *, wide: bool) -> tuple[str, ...]:
    module, digest = row.module, row.digest
    size = human_size(module.size) if module else "-"
    sha = module.digest.short if module else digest.short if digest else "broken"
    tag = row.reference.tag or "-"
    return row.reference.name, tag if wide else _short(tag), size, sha, _printable(row.created) or "-"


def _short(tag: str) -> str:
    return tag[:_TAG_WIDTH] + "..." if len(tag) > _TAG_WIDTH else tag


def _row(entry: "Entry", *, wide: bool, show_dir: bool) -> tuple[str, ...]:
    reference = entry.reference
    name = reference.name if reference else entry.name
    tag = (reference.tag or str(reference.digest)) if reference else "-"
    tag = tag if wide else _short(tag)
    size = human_size(entry.module.size) if entry.module else "-"
    sha = entry.module.digest.short if entry.module and not entry.problem else "broken"
    updated = entry.updated.astimezone().strftime(_RFC822)
    row = (_printable(name), tag, size, sha, updated)
    return (*row, str(entry.path)) if show_dir else row


def _printable(text: str) -> str:
    """Names that other tools wrote may hold anything; a terminal must not obey it."""
    return text if text.isprintable() else text.encode("unicode_escape").decode()
