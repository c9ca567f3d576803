"""``weft trace``."""

from contextlib import nullcontext
from pathlib import Path

import click

from weft.cli.console import Console

__all__ = ["trace"]


@click.command
@click.option(
    "--decode",
    "log",
    required=True,
    metavar="FILE|-",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    help="A log of Envoy, or what `weft test --trace` printed.",
)
@click.pass_obj
def trace(console: Console, log: str) -> None:
    """Make the calls between Envoy and filters in a log readable.

    Envoy writes them at the level trace (`--component-log-level wasm:trace`, or POST /logging?wasm=trace to
    its admin), with numbers only. They come out with the names of arguments, maps, buffers, statuses and
    levels, and nested; all other lines stay.
    """
    from weft.tracing import decoded_log

    with nullcontext(console.stdin) if log == "-" else Path(log).open(errors="replace") as source:
        for line in decoded_log(line.rstrip("\r\n") for line in source):
            console.data(line)
