"""``weft undeploy``."""

from typing import Any

import click

from weft.cli.console import Console
from weft.cli.options.cluster import cluster_access, cluster_options
from weft.cli.options.durations import SECONDS
from weft.errors import UsageError

__all__ = ["undeploy"]

# wasme's users name the target first; what is known of a filter says it anyway.
_TARGETS = ("istio", "gloo", "envoy-gateway")


@click.command
@click.argument("words", metavar="[istio|gloo|envoy-gateway] [NAME]", nargs=-1)
@click.option("--id", "filter_id", metavar="NAME", help="The filter's name or id.")
@click.option("-n", "--namespace", default="", metavar="NAME", help="Its own.  [default: the context's]")
@click.option("--timeout", type=SECONDS, default=300.0, show_default=True, help="For pods to be replaced.")
@click.option("--dry-run", is_flag=True, help="Say what would be done; change nothing.")
@cluster_options
@click.pass_obj
def undeploy(
    console: Console,
    /,
    words: tuple[str, ...],
    filter_id: str | None,
    namespace: str,
    timeout: float,
    dry_run: bool,
    **access: Any,
) -> None:
    """Take a filter away from traffic, and all that came with it."""
    import asyncio

    from weft.workflows.deploying.cluster import leave
    from weft.workflows.deploying.cluster import undeploy as undeploy_filter

    named = [*(words[1:] if words and words[0] in _TARGETS else words), *([filter_id] if filter_id else [])]
    if len(named) != 1:
        raise UsageError("name one filter", hint="`weft status` lists them")
    where = cluster_access(console, access)
    if dry_run:
        leaving = asyncio.run(leave(where, named[0], namespace))
        console.talk(f"{leaving.record}: {leaving.record.target}, {leaving.record.image}")
        for step in leaving.steps:
            console.talk(f"  {step.do} {step.subject}: {step.why}")
        console.talk(f"{leaving.record.filter_id} would be undeployed from {leaving.record.target}")
        return
    record = asyncio.run(undeploy_filter(where, named[0], namespace, seconds=timeout, say=console.talk))
    console.talk(f"{record.filter_id} undeployed from {record.target}")
