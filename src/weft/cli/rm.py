"""``weft rm``."""

from typing import Any

import click

from weft.cli.console import Console
from weft.cli.options.registry import access_of, credential_options, trust_options

__all__ = ["rm"]


@click.command()
@click.argument("references", metavar="REF...", nargs=-1, required=True)
@click.option("--remote", is_flag=True, help="Remove them from their registries, not from this machine.")
@click.option(
    "-o", "--output", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@credential_options
@trust_options
@click.pass_obj
def rm(console: Console, /, references: tuple[str, ...], remote: bool, form: str, **access: Any) -> None:
    """Remove names of images.

    All of them, or none when one is not there. NAME@DIGEST removes every name of that content. The space is
    freed by `weft prune`. With --remote they go one by one, and NAME@DIGEST takes the content too.
    """
    from weft.store import Store
    from weft.workflows.images.stored import remove_images

    if remote:
        removed = _remove_published(console, references, access)
    else:
        removed = remove_images(Store(console.places.store), references)
    if form == "json":
        console.document({"removed": removed}, form)
        return
    for name in removed:
        console.talk(f"removed {name}")


def _remove_published(console: Console, texts: tuple[str, ...], access: dict[str, Any]) -> list[str]:
    import asyncio

    from weft.oci import Reference
    from weft.workflows.images.published import remove_published
    from weft.workflows.images.registries import open_registries

    references = [Reference.parse(text) for text in texts]
    hosts = {reference.registry for reference in references}

    async def run() -> list[str]:
        async with open_registries(console.env, hosts, access_of(access)) as registries:
            for reference in references:
                await remove_published(registries, reference)
        return [str(reference) for reference in references]

    return asyncio.run(run())
