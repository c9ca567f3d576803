"""``weft doctor``."""

from typing import Any

import click

from weft.cli.console import Console
from weft.cli.options.cluster import cluster_access, cluster_options

__all__ = ["doctor"]


@click.command
@click.option(
    "-n", "--namespace", default="", metavar="NAME", help="Where to deploy.  [default: the context's]"
)
@click.option(
    "--istio-namespace",
    default="istio-system",
    show_default=True,
    metavar="NAME",
    help="Of the control plane.",
)
@cluster_options
@click.option(
    "-o", "--output", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.pass_obj
def doctor(console: Console, /, namespace: str, istio_namespace: str, form: str, **access: Any) -> None:
    """Say what a cluster lacks to run filters, and what is wrong with those it runs.

    Exits with 1 when there is a problem.
    """
    import asyncio

    from weft.workflows.deploying.doctor import Health, examine

    where = cluster_access(console, access)
    found = asyncio.run(examine(where, namespace=namespace, istio_namespace=istio_namespace))
    if form == "json":
        console.document(
            [
                {"what": one.what, "health": str(one.health), "message": one.message, "hint": one.hint}
                for one in found
            ],
            form,
        )
    else:
        rows = [
            (str(one.health), one.what, one.message + (f" ({one.hint})" if one.hint else "")) for one in found
        ]
        console.table(("HEALTH", "WHAT", "FOUND"), rows)
    if any(one.health is Health.BAD for one in found):
        raise click.exceptions.Exit(1)
