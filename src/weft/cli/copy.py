"""``weft copy``."""

from pathlib import Path
from typing import Any

import click

from weft.cli.console import Console
from weft.cli.options.registry import access_of, trust_options
from weft.cli.options.verify import judge_of, verify_options
from weft.cli.output.transfers import show_report, watch

__all__ = ["copy"]


@click.command
@click.argument("source", metavar="SOURCE")
@click.argument("target", metavar="TARGET")
@click.option("--bare", is_flag=True, help="Leave behind signatures and what else refers to the image.")
@click.option(
    "-o", "--output", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.option("--platform", metavar="OS/ARCH", help="Of an index, the image for this platform alone.")
@verify_options
@trust_options
@click.pass_obj
def copy(
    console: Console,
    /,
    source: str,
    target: str,
    bare: bool,
    form: str,
    platform: str | None,
    verify_keys: tuple[Path, ...],
    verify_policy: Path | None,
    **access: Any,
) -> None:
    """Copy an image between registries, files and the store.

    SOURCE and TARGET are references (registries), FILE.tar (an OCI layout in one file, for machines without a
    network) or store:REF. Everything comes along: all platforms, signatures, attachments.
    """
    import asyncio

    from weft.oci import Platform
    from weft.store import Store
    from weft.workflows.images.copy import copy as copy_image
    from weft.workflows.images.copy import hosts_of, read_place
    from weft.workflows.images.registries import open_registries
    from weft.workflows.images.transfer import Report

    judge = judge_of(verify_keys, verify_policy)
    only = Platform.parse(platform) if platform else None
    places = read_place(source), read_place(target)

    async def run() -> Report:
        async with open_registries(console.env, hosts_of(*places), access_of(access)) as registries:
            with watch(console) as progress:
                return await copy_image(
                    *places,
                    registries=registries,
                    store=Store(console.places.store),
                    attachments=not bare,
                    platform=only,
                    judge=judge,
                    progress=progress,
                )

    show_report(console, "Copied", str(places[1]), asyncio.run(run()), form)
