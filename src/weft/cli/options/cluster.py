"""The arguments by which commands are told of a cluster."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from weft.cli.console import Console

if TYPE_CHECKING:
    from weft.workflows.deploying.cluster import ClusterAccess

__all__ = ["cluster_access", "cluster_options", "which_cluster"]

_Command = Callable[..., Any]
_WHICH = (
    click.option("--kubeconfig", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
                 help="Which cluster.  [default: KUBECONFIG, or ~/.kube/config]"),
    click.option("--context", default="", metavar="NAME", help="Of the kubeconfig.  [default: its own]"),
)  # fmt: skip
_OPTIONS = (
    *_WHICH,
    click.option("--cache-namespace", default="weft-system", show_default=True, metavar="NAME",
                 help="Where weft itself and its node caches are."),
)  # fmt: skip


def cluster_options(command: _Command) -> _Command:
    """``--kubeconfig``, ``--context`` and ``--cache-namespace``."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def which_cluster(command: _Command) -> _Command:
    """``--kubeconfig`` and ``--context``, for a command that has its own word for weft's namespace."""
    for option in reversed(_WHICH):
        command = option(command)
    return command


def cluster_access(console: Console, words: dict[str, Any]) -> "ClusterAccess":
    """Take the options above out of ``words``."""
    from weft.workflows.deploying.cluster import ClusterAccess

    return ClusterAccess(
        env=console.env,
        kubeconfig=words.pop("kubeconfig"),
        context=words.pop("context"),
        system=words.pop("cache_namespace"),
    )
