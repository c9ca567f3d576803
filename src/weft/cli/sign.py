"""``weft sign``."""

from pathlib import Path
from typing import Any

import click

from weft.cli.console import Console
from weft.cli.key_password import key_password
from weft.cli.options.registry import access_of, credential_options, trust_options

__all__ = ["sign"]


@click.command
@click.argument("reference", metavar="REF")
@click.option(
    "--key",
    "key_path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    required=True,
    help="Private key: weft's, cosign's or openssl's.",
)
@click.option(
    "--layout",
    type=click.Choice(["both", "bundle", "simple"]),
    default="both",
    show_default=True,
    help="bundle is for cosign 2.4 and later, simple for all before 3.",
)
@click.option(
    "-o", "--output", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@credential_options
@trust_options
@click.pass_obj
def sign(console: Console, /, reference: str, key_path: Path, layout: str, form: str, **access: Any) -> None:
    """Sign an image in its registry.

    What is signed is the digest that REF means now, of an image or an index. The signature is put beside it
    as cosign does, others' stay, and signing again adds nothing. A locked key's password is
    WEFT_KEY_PASSWORD, else COSIGN_PASSWORD, else the terminal is asked.
    """
    import asyncio
    from datetime import UTC, datetime

    from weft.oci import Reference
    from weft.workflows.images.registries import open_registries
    from weft.workflows.signatures.keys import read_private_key
    from weft.workflows.signatures.sign import LAYOUTS, Signed
    from weft.workflows.signatures.sign import sign as sign_image

    wanted = Reference.parse(reference)
    key = read_private_key(key_path, key_password(console))

    async def run() -> Signed:
        async with open_registries(console.env, [wanted.registry], access_of(access)) as registries:
            return await sign_image(registries, wanted, key, LAYOUTS[layout], now=datetime.now(UTC))

    signed = asyncio.run(run())
    if form == "json":
        console.document(signed.document(), form)
        return
    for name, added in signed.layouts.items():
        console.talk(f"{name} signature {'added' if added else 'was there already'}")
    console.data(signed.pinned)
