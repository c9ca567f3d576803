"""``weft uninstall``."""

from typing import Any

import click

from weft.cli.console import Console
from weft.cli.options.cluster import which_cluster
from weft.cli.options.install import access_of, how_options, installation_of, namespace_option, told

__all__ = ["uninstall"]


@click.command
@namespace_option
@click.option("--force", is_flag=True, help="Take filters away first, instead of refusing.")
@how_options("for filters, kinds and the namespace to go")
@which_cluster
@click.option("--render", is_flag=True, help="Touch no cluster: print what would be removed, in that order.")
@click.pass_obj
def uninstall(console: Console, /, namespace: str, force: bool, render: bool, **words: Any) -> None:
    """Take out of a cluster what install put there.

    Nothing of weft's is left, and nothing of anybody else's is touched. As long as there are filters it
    refuses, and names them: without weft they could not be changed any more.
    """
    import asyncio

    installation = installation_of(namespace)
    if render:
        from weft.workflows.installing.render import removal

        console.data(removal(installation).rstrip("\n"))
        return
    from weft.workflows.installing.cluster import uninstall as uninstall_it

    with told(console, words, force=force) as how:
        asyncio.run(uninstall_it(access_of(console, words, namespace), installation, how))
