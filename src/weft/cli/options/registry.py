"""What every command that talks to registries can be told about them."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from weft.workflows.images.registries import Access

__all__ = ["access_of", "credential_options", "trust_options"]

_Command = Callable[..., Any]
_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


def trust_options(command: _Command) -> _Command:
    """``--plain-http``, ``--insecure``, ``--ca-file``, ``--cert-file``, ``--key-file``."""
    for option in (
        click.option("--key-file", type=_FILE, metavar="FILE", help="The key of --cert-file."),
        click.option(
            "--cert-file", type=_FILE, metavar="FILE", help="Show this certificate to the registry."
        ),
        click.option("--ca-file", type=_FILE, metavar="FILE", help="Believe this authority too."),
        click.option("--insecure", is_flag=True, help="Believe any certificate of the registry's."),
        click.option("--plain-http", is_flag=True, help="Speak to the registry without TLS."),
    ):
        command = option(command)
    return command


def credential_options(command: _Command) -> _Command:
    """``-u`` and ``-p``, for this run alone."""
    password = click.option("-p", "--password", metavar="TEXT", default="", help="Better: weft login.")
    username = click.option("-u", "--username", metavar="NAME", default="", help="Log in as NAME, this once.")
    return username(password(command))


def access_of(options: dict[str, Any]) -> "Access":
    """The options above as the value that workflows take."""
    from weft.workflows.images.registries import Access

    return Access(**options)
