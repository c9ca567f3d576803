"""What ``weft install`` and ``weft uninstall`` can both be told."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from weft.installing import Installation

__all__ = ["installation_of", "installation_options", "namespace_option"]

_Command = Callable[..., Any]
_CHOICES = (
    click.option(
        "--image", metavar="IMAGE", help="What the pods run.  [default: weft: and this version of it]"
    ),
    click.option("--no-node-cache", is_flag=True, help="Leave the node cache out."),
    click.option(
        "--secrets-of",
        multiple=True,
        metavar="NAMESPACE",
        help="Let the operator read Secrets and write ConfigMaps there; repeat for more.",
    ),
)


def installation_options(command: _Command) -> _Command:
    """``--namespace``, ``--image``, ``--no-node-cache`` and ``--secrets-of``."""
    for option in reversed(_CHOICES):
        command = option(command)
    return namespace_option(command)


def namespace_option(command: _Command) -> _Command:
    """``--namespace``."""
    return click.option(
        "-n",
        "--namespace",
        default="weft-system",
        show_default=True,
        metavar="NAME",
        help="Where weft itself is.",
    )(command)


def installation_of(
    namespace: str, image: str | None = None, *, no_node_cache: bool = False, secrets_of: tuple[str, ...] = ()
) -> "Installation":
    """The options above as an installation; raises ``UsageError`` for what no cluster would take."""
    from weft.installing import Installation, checked

    chosen = {"image": image} if image is not None else {}
    return checked(
        Installation(namespace=namespace, node_cache=not no_node_cache, secrets_of=secrets_of, **chosen)
    )
