"""``weft prune``."""

import click

from weft.cli.console import Console
from weft.cli.output.sizes import human_size

__all__ = ["prune"]


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
@click.option(
    "-o", "--output", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.pass_obj
def prune(console: Console, dry_run: bool, form: str) -> None:
    """Delete content that no image uses.

    What is left of removed and replaced images, and of commands that were killed or interrupted; also the
    build caches of projects that are gone, or were not built for a month. Fails while images are being
    added, rather than wait long.
    """
    from weft.store import Store
    from weft.workflows.authoring.caches import prune_caches
    from weft.workflows.images.stored import freed_document

    freed = Store(console.places.store).prune(dry_run=dry_run)
    caches = prune_caches(console.places.cache, dry_run=dry_run)
    if form == "json":
        document = freed_document(freed, dry_run=dry_run)
        console.document(document | {"caches": {"deleted": caches.count, "size": caches.size}}, form)
        return
    for digest in freed.blobs:
        console.detail(str(digest))
    files = len(freed.blobs) + freed.leftovers
    verb = "would delete" if dry_run else "deleted"
    console.talk(f"{verb} {files} {'file' if files == 1 else 'files'}, {human_size(freed.size)}")
    if caches.count:
        whose = f"{caches.count} {'project' if caches.count == 1 else 'projects'}"
        console.talk(f"{verb} the build caches of {whose}, {human_size(caches.size)}")
