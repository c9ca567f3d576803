"""``weft rm``."""

import click

from weft.cli.console import Console

__all__ = ["rm"]


@click.command()
@click.argument("references", metavar="REF...", nargs=-1, required=True)
@click.option(
    "-o", "--output", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.pass_obj
def rm(console: Console, references: tuple[str, ...], form: str) -> None:
    """Remove names of images.

    All of them, or none when one is not there. NAME@DIGEST removes every name of that content. The space is
    freed by `weft prune`.
    """
    from weft.store import Store
    from weft.workflows.images import remove_images

    removed = remove_images(Store(console.places.store), references)
    if form == "json":
        console.document({"removed": removed}, form)
        return
    for name in removed:
        console.talk(f"removed {name}")
