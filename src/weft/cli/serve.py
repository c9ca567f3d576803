"""``weft serve``: the services."""

from pathlib import Path
from typing import Any

import click

from weft.cli.console import Console
from weft.cli.options.cluster import cluster_access, cluster_options
from weft.cli.options.verify import policy_of, verify_options

__all__ = ["serve"]

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group
def serve() -> None:
    """Run weft's services."""


@serve.command("node-cache")
@click.argument("references", metavar="[REF]...", nargs=-1)
@click.option("--cluster", is_flag=True, help="Also what filters of the cluster need.")
@cluster_options
@click.option("--ref-file", type=_FILE, metavar="FILE", help="More images, one a line; read again and again.")
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("/var/local/lib/wasme-cache"),
    show_default=True,
    metavar="DIR",
    help="Where the modules go, each named by its SHA-256.",
)
@click.option(
    "--also-directory",
    "copies",
    type=click.Path(path_type=Path, file_okay=False),
    multiple=True,
    metavar="DIR",
    help="Keep them there too, for proxies that mount it; repeat for more.",
)
@click.option(
    "--named",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="What proxies call the directory, where it is mounted elsewhere here.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=9979,
    show_default=True,
    metavar="N",
    help="Serve the modules over HTTP; 0: do not.",
)
@click.option("--address", default="127.0.0.1", show_default=True, metavar="IP", help="Listen here.")
@click.option(
    "--node", metavar="NAME", help="What this node is called.  [default: NODE_HOSTNAME, or the host's name]"
)
@click.option(
    "--interval",
    type=click.FloatRange(0.1, 3600),
    default=2.0,
    show_default=True,
    metavar="S",
    help="Seconds between two passes.",
)
@click.option(
    "--look-again",
    type=click.FloatRange(0),
    default=60.0,
    show_default=True,
    metavar="S",
    help="Seconds until a tag is asked for again.",
)
@click.option(
    "--grace",
    type=click.FloatRange(0),
    default=86400.0,
    show_default=True,
    metavar="S",
    help="Seconds that a module stays which nobody wants.",
)
@verify_options
@click.option("--once", is_flag=True, help="One pass, then end: code 1 when an image is missing.")
@click.pass_obj
def node_cache(
    console: Console,
    /,
    references: tuple[str, ...],
    cluster: bool,
    ref_file: Path | None,
    directory: Path,
    port: int,
    address: str,
    node: str | None,
    once: bool,
    verify_keys: tuple[Path, ...],
    verify_policy: Path | None,
    **words: Any,
) -> None:
    """Keep the modules of images as verified files on this node.

    A proxy is told the file's name, the SHA-256 of the module. Files appear whole; one that is deleted or
    damaged comes back; a registry that is down takes nothing away. Credentials come from the places of
    `weft login` and docker (a pull secret mounted as DOCKER_CONFIG), trust from WEFT_REGISTRY_*.
    """
    import asyncio
    import platform

    from weft.base.tasks import run_until_told
    from weft.errors import WeftError
    from weft.nodecache import Settings
    from weft.oci import Reference
    from weft.workflows.serving.node_cache import Duty, Place, keep_node, settle_node

    settings = Settings(look_again=words.pop("look_again"), grace=words.pop("grace"))
    place = Place(
        folder=directory,
        copies=words.pop("copies"),
        named=words.pop("named"),
        node=node or console.env.get("NODE_HOSTNAME") or platform.node(),
        address=address,
        port=port or None,
        interval=words.pop("interval"),
        settings=settings,
    )
    access = cluster_access(console, words)
    duty = Duty(
        cluster=access if cluster else None,
        references=tuple(map(Reference.parse, references)),
        list_file=ref_file,
        policy=policy_of(verify_keys, verify_policy),
    )
    if not once:
        run_until_told(
            keep_node(
                duty, place, console.env, console.talk, ready=lambda url: console.talk(f"serving {url}")
            )
        )
        return
    report = asyncio.run(settle_node(duty, place, console.env, console.talk))
    console.document(report.document(), "json")
    if not report.ready:
        raise WeftError("not every image is here")


@serve.command
@cluster_options
@click.option("--address", default="127.0.0.1", show_default=True, metavar="IP", help="Listen here.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=9978,
    show_default=True,
    metavar="N",
    help="Probes and metrics; 0: none.",
)
@click.option(
    "--webhook-port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default=True,
    metavar="N",
    help="Answer the API server about new resources, over TLS; 0: do not.",
)
@click.option(
    "--holder", metavar="NAME", help="Who takes the lease.  [default: POD_NAME, or host and process]"
)
@click.option(
    "--lease",
    type=click.FloatRange(1),
    default=15.0,
    show_default=True,
    metavar="S",
    help="Seconds until another takes over from one that fell silent.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    default=16,
    show_default=True,
    metavar="N",
    help="Resources worked on at once.",
)
@click.option(
    "--again",
    type=click.FloatRange(1),
    default=60.0,
    show_default=True,
    metavar="S",
    help="Seconds until tags, secrets and all else are looked at again.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0),
    default=300.0,
    show_default=True,
    metavar="S",
    help="Seconds for nodes to hold a module, and for pods to be replaced; each.",
)
@verify_options
@click.pass_obj
def operator(
    console: Console,
    /,
    address: str,
    port: int,
    webhook_port: int,
    holder: str | None,
    verify_keys: tuple[Path, ...],
    verify_policy: Path | None,
    **words: Any,
) -> None:  # fmt: skip
    """Keep what FilterDeployments of weft, wasme and ASM ask for in a cluster.

    Of several, one acts at a time. A deleted resource stays until its filter is gone.
    """
    import os
    import platform

    from weft.base.tasks import run_until_told
    from weft.operator import Settings
    from weft.workflows.serving.operator import OperatorPlace, keep_operator

    access, again = cluster_access(console, words), words.pop("again")
    settings = Settings(
        system=access.system, workers=words.pop("workers"), seconds=words.pop("timeout"), again=again
    )
    place = OperatorPlace(
        access=access,
        store=console.places.store,
        cache=console.places.cache,
        address=address,
        port=port or None,
        webhook_port=webhook_port or None,
        # Two of one name would both act.
        holder=holder or console.env.get("POD_NAME") or f"{platform.node()}-{os.getpid()}",
        lease_seconds=words.pop("lease"),
        settings=settings,
        policy=policy_of(verify_keys, verify_policy),
        look_again=again,
    )
    run_until_told(keep_operator(place, console.talk, ready=lambda url: console.talk(f"serving {url}")))
