"""``weft deploy``."""

from typing import Any

import click

from weft.cli.console import Console
from weft.cli.run import start
from weft.cli.run_options import run_options
from weft.cli.trace_option import TracingCommand

__all__ = ["deploy"]


@click.group
def deploy() -> None:
    """Put a filter in front of traffic."""


@deploy.command(cls=TracingCommand)
@run_options
@click.pass_obj
def envoy(console: Console, /, **words: Any) -> None:
    """Run filters in an Envoy on this machine: another name of `weft run`."""
    start(console, **words)
