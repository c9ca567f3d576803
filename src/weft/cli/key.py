"""``weft key``: make and look at the keys that sign images."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from weft.cli.console import Console
from weft.cli.key_password import key_password

if TYPE_CHECKING:
    from weft.workflows.signatures.keys import KeyPair

__all__ = ["key"]

_OUTPUT = click.option(
    "-o", "--output", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)


@click.group
def key() -> None:
    """Make and show keys that sign images."""


@key.command
@click.option(
    "--kind",
    type=click.Choice(["ecdsa-p256", "ed25519", "rsa-3072"]),
    default="ecdsa-p256",
    show_default=True,
    help="cosign makes ecdsa-p256 and takes all.",
)
@click.option(
    "--output-key-prefix",
    "prefix",
    metavar="PATH",
    default="cosign",
    show_default=True,
    help="Write PATH.key and PATH.pub.",
)
@_OUTPUT
@click.pass_obj
def generate(console: Console, kind: str, prefix: str, form: str) -> None:
    """Make a pair of keys in the files that cosign makes.

    The private key is locked with a password: WEFT_KEY_PASSWORD, else COSIGN_PASSWORD, else the terminal is
    asked. A file that exists is never overwritten.
    """
    from weft.workflows.signatures.keys import make_key_pair

    _show(console, make_key_pair(prefix, kind, key_password(console, new=True)), form)


@key.command
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@_OUTPUT
@click.pass_obj
def show(console: Console, file: Path, form: str) -> None:
    """Show the kind and fingerprint of a key, private or public."""
    from weft.workflows.signatures.keys import show_key

    _show(console, show_key(file, key_password(console)), form)


def _show(console: Console, pair: "KeyPair", form: str) -> None:
    if form == "json":
        console.document(pair.document(), form)
        return
    rows = (("private", pair.private), ("public", pair.public))
    for name, path in rows:
        if path:
            console.data(f"{name:<12} {path}")
    console.data(f"{'kind':<12} {pair.kind}")
    console.data(f"{'fingerprint':<12} {pair.fingerprint}")
