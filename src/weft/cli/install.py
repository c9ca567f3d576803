"""``weft install``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from weft.cli.console import Console
from weft.cli.options.cluster import which_cluster
from weft.cli.options.install import access_of, how_options, installation_of, installation_options, told
from weft.errors import UsageError

if TYPE_CHECKING:
    from weft.installing import Installation

__all__ = ["install"]


@click.command
@installation_options
@click.option("--no-wait", is_flag=True, help="Do not wait until the pods run.")
@click.option("--force-conflicts", is_flag=True, help="Take fields that others own.")
@how_options("for the pods to run")
@which_cluster
@click.option(
    "--render",
    "form",
    type=click.Choice(["yaml", "kustomize", "helm"]),
    help="Touch no cluster: print plain YAML, or write a kustomize folder or a Helm chart.",
)
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="With --render: write the files here.",
)
@click.pass_obj
def install(
    console: Console,
    /,
    namespace: str,
    image: str | None,
    no_node_cache: bool,
    secrets_of: tuple[str, ...],
    folders: tuple[str, ...],
    no_wait: bool,
    force_conflicts: bool,
    form: str | None,
    folder: Path | None,
    **words: Any,
) -> None:
    """Put operator, node cache and custom resources into a cluster.

    Doing it again, perhaps with another version of weft, changes what differs and nothing else.
    """
    import asyncio

    installation = installation_of(
        namespace, image, no_node_cache=no_node_cache, secrets_of=secrets_of, folders=folders
    )
    if form:
        _render(console, installation, form, folder)
        return
    if folder:
        raise UsageError("--to is for --render")
    from weft.workflows.installing.cluster import install as install_it

    with told(console, words, force=force_conflicts) as how:
        asyncio.run(install_it(access_of(console, words, namespace), installation, how, wait=not no_wait))


def _render(console: Console, installation: "Installation", form: str, folder: Path | None) -> None:
    from weft.workflows.installing.render import rendered, written

    if folder is None:
        console.data(rendered(installation, form).rstrip("\n"))
    else:
        for path in written(installation, form, folder):
            console.data(str(path))
