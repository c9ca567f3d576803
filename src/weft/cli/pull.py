"""``weft pull``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from weft.cli.console import Console
from weft.cli.options.registry import access_of, credential_options, trust_options
from weft.cli.options.verify import judge_of, verify_options
from weft.cli.output.transfers import report_document, show_report, watch

if TYPE_CHECKING:
    from weft.oci import Reference
    from weft.workflows.images.transfer import Report

__all__ = ["pull"]

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command
@click.argument("reference", metavar="REF")
@click.option("--to", "folder", type=_FOLDER, metavar="DIR", help="Write the artifact's files here instead.")
@click.option("--store", type=_FOLDER, metavar="DIR", help="Keep the image in this store.")
@click.option(
    "-o", "--output", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.option("--attached", is_flag=True, help="Fetch what is attached to the image, too.")
@click.option("--platform", metavar="OS/ARCH", help="Of an index, the image for this platform alone.")
@verify_options
@credential_options
@trust_options
@click.pass_obj
def pull(
    console: Console,
    /,
    reference: str,
    folder: Path | None,
    store: Path | None,
    form: str,
    platform: str | None,
    attached: bool,
    verify_keys: tuple[Path, ...],
    verify_policy: Path | None,
    **access: Any,
) -> None:
    """Fetch an image into the store of this machine, or its files into a folder.

    REF may name a digest (NAME@sha256:…): then exactly that content comes, or nothing.
    """
    import asyncio

    from weft.oci import Platform, Reference
    from weft.store import Store
    from weft.workflows.images.pull import pull as pull_image
    from weft.workflows.images.registries import open_registries
    from weft.workflows.images.transfer import Report

    wanted = Reference.parse(reference)
    judge = judge_of(verify_keys, verify_policy)
    only = Platform.parse(platform) if platform else None

    async def run() -> tuple[Report, list[Path]]:
        async with open_registries(console.env, [wanted.registry], access_of(access)) as registries:
            with watch(console) as progress:
                if folder:
                    from weft.workflows.images.fetch_files import fetch_files

                    return await fetch_files(
                        registries, wanted, folder, platform=only, judge=judge, progress=progress
                    )
                local = Store(store or console.places.store)
                report = await pull_image(
                    local,
                    registries,
                    wanted,
                    platform=only,
                    attached=attached,
                    judge=judge,
                    progress=progress,
                )
                return report, []

    report, files = asyncio.run(run())
    if folder:
        _show_files(console, wanted, report, folder, files, form)
    else:
        show_report(console, "Pulled", str(wanted), report, form)


def _show_files(
    console: Console, wanted: "Reference", report: "Report", folder: Path, files: list[Path], form: str
) -> None:
    if form == "json":
        written = {"files": [str(folder / file) for file in files]}
        console.data(json.dumps(report_document(str(wanted), report) | written))
        return
    for file in files:
        console.talk(f"wrote {folder / file}")
    show_report(console, "Pulled", str(wanted), report, form)
