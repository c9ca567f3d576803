"""``weft discover``."""

from typing import TYPE_CHECKING, Any

import click

from weft.cli.console import Console
from weft.cli.options.registry import access_of, credential_options, trust_options

if TYPE_CHECKING:
    from weft.oci import Descriptor
    from weft.workflows.images.attach import Attached

__all__ = ["discover"]


@click.command
@click.argument("reference", metavar="REF")
@click.option("--artifact-type", metavar="TYPE", default="", help="Only what is of this type.")
@click.option(
    "-o", "--output", "form", type=click.Choice(["text", "json", "yaml"]), default="text", show_default=True
)
@credential_options
@trust_options
@click.pass_obj
def discover(console: Console, /, reference: str, artifact_type: str, form: str, **access: Any) -> None:
    """Show what is attached to a published image.

    Signatures, documents, other flavors: everything that says it belongs to this digest.
    """
    import asyncio

    from weft.oci import Reference
    from weft.workflows.images.attach import discover as discover_attached
    from weft.workflows.images.registries import open_registries

    subject = Reference.parse(reference)

    async def run() -> "tuple[Descriptor, tuple[Attached, ...]]":
        async with open_registries(console.env, [subject.registry], access_of(access)) as registries:
            return await discover_attached(registries, subject, artifact_type)

    found, attached = asyncio.run(run())
    if form != "text":
        document = {
            "reference": str(subject),
            "digest": str(found.digest),
            "mediaType": found.media_type,
            "referrers": [each.to_json() for each in attached],
        }
        console.document(document, form)
        return
    console.data(f"{subject.name}@{found.digest}")
    _show(console, attached, "")
    if not attached:
        console.talk("nothing is attached to it")


def _show(console: Console, attached: "tuple[Attached, ...]", indent: str) -> None:
    for number, each in enumerate(attached, 1):
        last = number == len(attached)
        kind = each.descriptor.artifact_type or each.descriptor.media_type
        console.data(f"{indent}{'└──' if last else '├──'} {_printable(kind)} {each.descriptor.digest}")
        _show(console, each.attached, indent + ("    " if last else "│   "))


def _printable(text: str) -> str:
    return text if text.isprintable() else text.encode("unicode_escape").decode()
