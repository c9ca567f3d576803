"""``weft logout``."""

import json

import click

from weft.cli.console import Console
from weft.errors import UsageError

__all__ = ["logout"]


@click.command
@click.argument("registry", metavar="[SERVER]", default="")
@click.option("-s", "--server", metavar="SERVER", default="", help="The registry: hub.example.com.")
@click.option(
    "--credentials-file", type=click.Path(dir_okay=False), metavar="FILE", help="Where it was kept."
)
@click.option(
    "-o", "--output", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.pass_obj
def logout(console: Console, registry: str, server: str, credentials_file: str | None, form: str) -> None:
    """Forget the credential of a registry.

    Only what `weft login` kept: the files of docker and podman are theirs.
    """
    import asyncio
    from pathlib import Path

    from weft.workflows.images.login import log_out, server_name

    named = registry or server
    if not named:
        raise UsageError("name the registry", hint="weft logout hub.example.com")
    path = Path(credentials_file) if credentials_file else console.places.credentials
    done = asyncio.run(log_out(console.env, path, server_name(named)))
    if form == "json":
        document = {"server": done.server, "forgotten": done.forgotten, "elsewhere": done.elsewhere}
        console.data(json.dumps(document))
        return
    console.talk(f"logged out of {done.server}" if done.forgotten else f"not logged in to {done.server}")
    if done.elsewhere:
        console.talk(f"note: {done.elsewhere} still has a credential for it")
