"""``weft uninstall``."""

import click

from weft.cli.console import Console
from weft.cli.install_options import installation_of, namespace_option
from weft.errors import UsageError

__all__ = ["uninstall"]


@click.command
@namespace_option
@click.option("--render", is_flag=True, help="Touch no cluster: print what would be removed, in that order.")
@click.pass_obj
def uninstall(console: Console, /, namespace: str, render: bool) -> None:
    """Take out of a cluster what install put there."""
    from weft.workflows.installing.render import removal

    installation = installation_of(namespace)
    if not render:
        raise UsageError("this prints only so far", hint="weft uninstall --render")
    console.data(removal(installation).rstrip("\n"))
