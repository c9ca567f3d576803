"""``weft prune``."""

import click

from weft.cli.console import Console
from weft.cli.sizes import human_size

__all__ = ["prune"]


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
@click.option(
    "-o", "--output", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.pass_obj
def prune(console: Console, dry_run: bool, form: str) -> None:
    """Delete content that no image uses.

    What is left of removed and replaced images, and of commands that were killed. Fails while images are
    being added, rather than wait long.
    """
    from weft.store import Store
    from weft.workflows.images.stored import freed_document

    freed = Store(console.places.store).prune(dry_run=dry_run)
    if form == "json":
        console.document(freed_document(freed, dry_run=dry_run), form)
        return
    for digest in freed.blobs:
        console.detail(str(digest))
    files = len(freed.blobs) + freed.leftovers
    verb = "would delete" if dry_run else "deleted"
    console.talk(f"{verb} {files} {'file' if files == 1 else 'files'}, {human_size(freed.size)}")
