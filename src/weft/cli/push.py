"""``weft push``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from weft.cli.console import Console
from weft.cli.options.registry import access_of, credential_options, trust_options
from weft.cli.output.transfers import show_report, watch
from weft.errors import UsageError

if TYPE_CHECKING:
    from weft.workflows.images.artifact import Artifact

__all__ = ["annotations_of", "push"]

_FLAVOR = click.Choice(["solo", "compat", "cncf"])
_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command
@click.argument("reference", metavar="REF")
@click.argument("files", metavar="[FILE[:TYPE]]...", nargs=-1)
@click.option("--as", "other", metavar="REF", default="", help="Publish it under another name.")
@click.option("--flavor", type=_FLAVOR, help="Publish it in this flavor.  [default: as it was built]")
@click.option("--also", metavar="FLAVOR,...", default="", help="And in these beside it, at TAG-FLAVOR.")
@click.option("--manifest-config", metavar="FILE[:TYPE]", default="", help="With files: the config.")
@click.option("--artifact-type", metavar="TYPE", default="", help="With files: what they are together.")
@click.option("-a", "--annotation", "annotations", metavar="KEY=VALUE", multiple=True, help="With files.")
@click.option("--store", type=_FOLDER, metavar="DIR", help="Take the image from this store.")
@click.option(
    "-o", "--output", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@credential_options
@trust_options
@click.pass_obj
def push(
    console: Console,
    /,
    reference: str,
    files: tuple[str, ...],
    other: str,
    flavor: str | None,
    also: str,
    manifest_config: str,
    artifact_type: str,
    annotations: tuple[str, ...],
    store: Path | None,
    form: str,
    **access: Any,
) -> None:
    """Publish an image of this machine, or files, to a registry.

    With FILEs, REF becomes an artifact of them, as ORAS makes it: one layer each, under their names.
    """
    import asyncio

    from weft.oci import Reference
    from weft.store import Store
    from weft.workflows.images.push import Pushed
    from weft.workflows.images.push import push as push_image
    from weft.workflows.images.registries import open_registries

    source = Reference.parse(reference)
    target = Reference.parse(other) if other else source
    artifact = _artifact(files, manifest_config, artifact_type, annotations)
    if artifact and other:
        raise UsageError("--as is for images of the store; name the artifact as REF")

    if artifact and (flavor or also):
        raise UsageError("--flavor and --also are for images of the store")

    async def run() -> list[Pushed]:
        async with open_registries(console.env, [target.registry], access_of(access)) as registries:
            with watch(console) as progress:
                if artifact:
                    from weft.workflows.images.attach import push_artifact

                    report = await push_artifact(registries, target, artifact, progress=progress)
                    return [Pushed(target, report)]
                local = Store(store or console.places.store)
                return await push_image(
                    local,
                    registries,
                    source,
                    target=target,
                    flavor=flavor or "",
                    also=tuple(word for word in also.split(",") if word),
                    progress=progress,
                )

    for pushed in asyncio.run(run()):
        show_report(console, "Pushed", str(pushed.reference), pushed.report, form)


def _artifact(
    files: tuple[str, ...], config: str, artifact_type: str, annotations: tuple[str, ...]
) -> "Artifact | None":
    if not files:
        if config or artifact_type or annotations:
            raise UsageError("--manifest-config, --artifact-type and -a are for files; none is named")
        return None
    from weft.workflows.images.artifact import Artifact, read_typed_file

    return Artifact.of(
        [read_typed_file(text) for text in files],
        config=read_typed_file(config, "application/vnd.unknown.config.v1+json") if config else None,
        artifact_type=artifact_type,
        annotations=annotations_of(annotations),
    )


def annotations_of(texts: tuple[str, ...]) -> dict[str, str]:
    """``KEY=VALUE``s as a mapping; raises ``UsageError``."""
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise UsageError(f"{text!r} is no annotation", hint="-a KEY=VALUE")
        found[key] = value
    return found
