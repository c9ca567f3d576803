"""``weft install``."""

from pathlib import Path

import click

from weft.cli.console import Console
from weft.cli.install_options import installation_of, installation_options

__all__ = ["install"]


@click.command
@installation_options
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
    form: str | None,
    folder: Path | None,
) -> None:
    """Put operator, node cache and custom resources into a cluster."""
    from weft.workflows.installing.render import rendered, written

    installation = installation_of(namespace, image, no_node_cache=no_node_cache, secrets_of=secrets_of)
    if folder:
        for path in written(installation, form or "yaml", folder):
            console.data(str(path))
    else:
        console.data(rendered(installation, form or "yaml").rstrip("\n"))
