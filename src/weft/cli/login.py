"""``weft login``."""

import json
from typing import Any

import click

from weft.cli.console import Console
from weft.cli.options.registry import access_of, trust_options
from weft.errors import UsageError

__all__ = ["login"]


@click.command
@click.argument("registry", metavar="[SERVER]", default="")
@click.option("-s", "--server", metavar="SERVER", default="", help="The registry: hub.example.com.")
@click.option("-u", "--username", metavar="NAME", default="", help="Asked for when missing.")
@click.option("-p", "--password", metavar="TEXT", default="", help="Others on this machine can see it.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option(
    "--credentials-file", type=click.Path(dir_okay=False), metavar="FILE", help="Keep it here instead."
)
@click.option("--plaintext", is_flag=True, hidden=True)
@click.option(
    "-o", "--output", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@trust_options
@click.pass_obj
def login(
    console: Console,
    /,
    registry: str,
    server: str,
    username: str,
    password: str,
    password_stdin: bool,
    credentials_file: str | None,
    plaintext: bool,
    form: str,
    **trust: Any,
) -> None:
    """Log in to a registry.

    The registry is asked first; a credential that it does not believe is not kept. Other registries stay
    logged in. The file has docker's format and is for your eyes only.
    """
    import asyncio
    from pathlib import Path

    from weft.workflows.images.login import log_in, server_name

    named = registry or server or console.env.get("WASM_IMAGE_REGISTRY", "")
    if not named:
        raise UsageError("name the registry", hint="weft login hub.example.com")
    host = server_name(named)
    if password and password_stdin:
        raise UsageError("--password and --password-stdin exclude each other")
    if password:
        console.talk("warning: others on this machine can see --password; --password-stdin hides it")
    username = username or _ask(console, "Username", "-u NAME")
    password = console.stdin.readline().rstrip("\r\n") if password_stdin else password
    password = password or _ask(console, "Password", "--password-stdin", hidden=True)
    trust["plain_http"] = trust["plain_http"] or plaintext
    access = access_of({"username": username, "password": password, **trust})
    path = Path(credentials_file) if credentials_file else console.places.credentials
    done = asyncio.run(log_in(console.env, path, host, access))
    if form == "json":
        document = {"server": done.server, "username": done.username, "stored": done.place}
        console.data(json.dumps(document | {"checked": done.checked}))
        return
    if not done.checked:
        console.talk(f"note: {done.server} lets everybody in; the password could not be checked")
    console.talk(f"Successfully logged in as {done.username}")
    console.talk(f"stored credentials in {done.place}")


def _ask(console: Console, what: str, option: str, *, hidden: bool = False) -> str:
    """Ask a person who is there, or say which option answers."""
    answer = ""
    if console.interactive:
        answer = str(
            click.prompt(f"Enter {what.lower()}", default="", hide_input=hidden, err=True, show_default=False)
        )
    if not answer:
        raise UsageError(f"must specify {what.lower()}", hint=f"add {option}")
    return answer
