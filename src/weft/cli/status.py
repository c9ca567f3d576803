"""``weft status``."""

from typing import Any

import click

from weft.cli.console import Console
from weft.cli.options.cluster import cluster_access, cluster_options

__all__ = ["status"]


@click.command
@click.argument("name", required=False, default="", metavar="[NAME]")
@click.option("-n", "--namespace", default="", metavar="NAME", help="Only of this one.  [default: all]")
@cluster_options
@click.option(
    "-o", "--output", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.pass_obj
def status(console: Console, /, name: str, namespace: str, form: str, **access: Any) -> None:
    """Show the filters of a cluster and how they stand.

    With NAME (or an id) every object, workload and node of that filter. Exits with 1 when something is not as
    it should be.
    """
    import asyncio

    from weft.clusters import State
    from weft.errors import NotFound
    from weft.workflows.deploying.cluster import stand

    found = asyncio.run(stand(cluster_access(console, access), name, namespace))
    if name and not found:
        raise NotFound(f"no filter {name}{f' in namespace {namespace}' if namespace else ''}")
    if form == "json":
        console.document([one.document() for one in found], form)
    elif name:
        for one in found:
            console.talk(f"{one.record}: {one.record.image} on {one.record.target}")
            parts = [(part.what, str(part.state), part.message) for part in one.parts]
            console.table(("PART", "STATE", "MESSAGE"), parts)
    else:
        rows = [
            (one.record.namespace, one.record.name, one.record.target, str(one.state), one.record.image)
            for one in found
        ]
        console.table(("NAMESPACE", "NAME", "TARGET", "STATE", "IMAGE"), rows)
    if any(one.state is not State.READY for one in found):
        raise click.exceptions.Exit(1)
