"""``weft attach``."""

from typing import Any

import click

from weft.cli.console import Console
from weft.cli.options.registry import access_of, credential_options, trust_options
from weft.cli.output.transfers import show_report, watch
from weft.cli.push import annotations_of

__all__ = ["attach"]


@click.command
@click.argument("reference", metavar="REF")
@click.argument("files", metavar="FILE[:TYPE]...", nargs=-1, required=True)
@click.option("--artifact-type", metavar="TYPE", required=True, help="What the files are together.")
@click.option(
    "-a", "--annotation", "annotations", metavar="KEY=VALUE", multiple=True, help="On the manifest."
)
@click.option(
    "-o", "--output", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@credential_options
@trust_options
@click.pass_obj
def attach(
    console: Console,
    /,
    reference: str,
    files: tuple[str, ...],
    artifact_type: str,
    annotations: tuple[str, ...],
    form: str,
    **access: Any,
) -> None:
    """Attach files to a published image.

    They refer to its digest: the image itself does not change. `weft discover` finds them.
    """
    import asyncio

    from weft.oci import Reference
    from weft.workflows.images.artifact import read_typed_file
    from weft.workflows.images.attach import attach as attach_files
    from weft.workflows.images.registries import open_registries
    from weft.workflows.images.transfer import Report

    subject = Reference.parse(reference)
    typed = [read_typed_file(text) for text in files]

    async def run() -> Report:
        async with open_registries(console.env, [subject.registry], access_of(access)) as registries:
            with watch(console) as progress:
                return await attach_files(
                    registries,
                    subject,
                    typed,
                    artifact_type=artifact_type,
                    annotations=annotations_of(annotations),
                    progress=progress,
                )

    report = asyncio.run(run())
    show_report(console, "Attached", f"{subject.name}@{report.root.digest}", report, form)
