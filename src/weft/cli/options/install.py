"""What ``weft install`` and ``weft uninstall`` can both be told, and what both say."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from weft.cli.console import Console
from weft.cli.options.cluster import cluster_access

if TYPE_CHECKING:
    from weft.installing import Installation
    from weft.workflows.deploying.cluster import ClusterAccess
    from weft.workflows.installing.cluster import How
    from weft.workflows.installing.outcome import Outcome

__all__ = [
    "access_of",
    "how_options",
    "installation_of",
    "installation_options",
    "namespace_option",
    "told",
]

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
    click.option(
        "--also-folder",
        "folders",
        multiple=True,
        metavar="PATH",
        help="Keep modules in this folder of the nodes too; repeat for more.",
    ),
)


def installation_options(command: _Command) -> _Command:
    """``--namespace``, ``--image``, ``--no-node-cache``, ``--secrets-of`` and ``--also-folder``."""
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


def how_options(waited_for: str) -> Callable[[_Command], _Command]:
    """``--timeout``, with what is waited for, and ``--output``."""
    forms = click.Choice(["text", "json"])
    output = click.option("-o", "--output", "outcome", type=forms, default="text", show_default=True)
    timeout = click.option(
        "--timeout",
        type=click.FloatRange(0),
        default=300.0,
        show_default=True,
        metavar="S",
        help=f"Seconds {waited_for}.",
    )
    return lambda command: timeout(output(command))


def installation_of(
    namespace: str, image: str | None = None, *, no_node_cache: bool = False, **more: Any
) -> "Installation":
    """The options above as an installation; raises ``UsageError`` for what no cluster would take."""
    from weft.installing import Installation, checked

    chosen: dict[str, Any] = {"image": image} if image is not None else {}
    return checked(Installation(namespace=namespace, node_cache=not no_node_cache, **more, **chosen))


def access_of(console: Console, words: dict[str, Any], namespace: str) -> "ClusterAccess":
    """Which cluster is meant, by ``which_cluster``'s options in ``words``."""
    return cluster_access(console, words | {"cache_namespace": namespace})


@contextmanager
def told(console: Console, words: dict[str, Any], *, force: bool) -> Iterator["How"]:
    """How to go about it, and show what became of each object: line by line, or as JSON at the end."""
    from weft.workflows.installing.cluster import How

    as_json = words["outcome"] == "json"
    outcomes: list[dict[str, str]] = []

    def show(outcome: "Outcome") -> None:
        if as_json:
            outcomes.append(outcome.document())
        else:
            console.data(f"{outcome.ref} {outcome.done}")

    yield How(seconds=words["timeout"], force=force, show=show, say=console.talk)
    if as_json:
        console.document(outcomes, "json")
