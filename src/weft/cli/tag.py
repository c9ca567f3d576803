"""``weft tag``."""

import click

from weft.cli.console import Console

__all__ = ["tag"]


@click.command()
@click.argument("source", metavar="SOURCE")
@click.argument("target", metavar="TARGET")
@click.option(
    "-o", "--output", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.pass_obj
def tag(console: Console, source: str, target: str, form: str) -> None:
    """Give an image another name.

    TARGET means the image SOURCE from now on, whatever it meant before. SOURCE may be NAME@DIGEST.
    """
    from weft.store import Store
    from weft.workflows.images.stored import tag_image

    name, digest = tag_image(Store(console.places.store), source, target)
    if form == "json":
        console.document({"reference": str(name), "digest": str(digest)}, form)
    else:
        console.talk(f"tagged {name} ({digest})")
