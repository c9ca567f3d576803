"""``weft verify``."""

from pathlib import Path
from typing import Any

import click

from weft.cli.console import Console
from weft.cli.options.registry import access_of, credential_options, trust_options
from weft.errors import UsageError

__all__ = ["verify"]

_FILE = click.Path(path_type=Path)


@click.command
@click.argument("reference", metavar="REF")
@click.option(
    "--key", "keys", type=_FILE, metavar="FILE", multiple=True, help="Public key; one of several is enough."
)
@click.option("--policy", "policy_path", type=_FILE, metavar="FILE", help="Which images need which keys.")
@click.option("--identity", metavar="NAME", help="Who signed without a key: an address, or a workflow's URL.")
@click.option("--issuer", metavar="URL", help="With --identity: who vouches for it.")
@click.option(
    "--trusted-root",
    type=_FILE,
    metavar="FILE",
    help="With --identity: a trusted_root.json.  [default: sigstore's public instance]",
)
@click.option(
    "-o", "--output", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@credential_options
@trust_options
@click.pass_obj
def verify(
    console: Console,
    /,
    reference: str,
    keys: tuple[Path, ...],
    policy_path: Path | None,
    identity: str | None,
    issuer: str | None,
    trusted_root: Path | None,
    form: str,
    **access: Any,
) -> None:
    """Check who signed an image.

    Prints the image pinned to the digest that was verified: use that, for a tag may move. Exit code 7, and
    every reason, when the signatures are not enough.
    """
    import asyncio

    from weft.oci import Reference
    from weft.workflows.images.registries import open_registries
    from weft.workflows.signatures.keys import policy_of_identity, policy_of_keys, read_policy
    from weft.workflows.signatures.verify import Verified
    from weft.workflows.signatures.verify import verify as verify_image

    wanted = Reference.parse(reference)
    if sum(map(bool, (keys, policy_path, identity))) != 1:
        raise UsageError(
            "give one of --key, --policy and --identity", hint="weft verify REF --key cosign.pub"
        )
    if bool(identity) != bool(issuer) or (trusted_root and not identity):
        raise UsageError("--identity and --issuer go together, and --trusted-root with them")
    if identity and issuer:
        policy = policy_of_identity(identity, issuer, trusted_root)
    else:
        policy = read_policy(policy_path) if policy_path else policy_of_keys(keys)

    async def run() -> Verified:
        async with open_registries(console.env, [wanted.registry], access_of(access)) as registries:
            return await verify_image(registries, wanted, policy)

    done = asyncio.run(run())
    if form == "json":
        console.document(done.document(), form)
        return
    by = ", ".join(done.signed_by)
    console.talk(f"signed by {by}" if by else "the policy asks for no signature")
    console.data(done.pinned)
