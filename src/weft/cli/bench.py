"""``weft bench``."""

from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import click

from weft.cli.console import Console
from weft.cli.output.budgets import verdict_document, verdict_line
from weft.cli.provision import builder, envoy_program
from weft.errors import UsageError, WeftError

if TYPE_CHECKING:
    from weft.workflows.measuring.bench import Benchmark
    from weft.workflows.measuring.host import HostFigures
    from weft.workflows.measuring.proxy import Comparison

__all__ = ["bench"]


@click.command
@click.argument("what", metavar="[DIR|REF|FILE.wasm]", default=".")
@click.option("--config", metavar="TEXT|@FILE", help="What the filter is told. Default: as its author says.")
@click.option("--root-id", metavar="NAME", help="Default: the one in weft.toml or in the image.")
@click.option("--path", default="/", show_default=True, help="What to ask Envoy for.")
@click.option(
    "--rounds",
    type=click.IntRange(1, 1000),
    default=5,
    show_default=True,
    help="With and without the filter.",
)
@click.option(
    "--seconds", type=click.FloatRange(0.05, 600), default=1.0, show_default=True, help="Of each round."
)
@click.option(
    "--plot",
    metavar="FILE.svg",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw the rounds on Envoy.",
)
@click.option("--check", is_flag=True, help="Fail when a budget of weft.toml is exceeded.")
@click.option("--no-envoy", is_flag=True, help="Measure on the test host only.")
@click.option(
    "--envoy", metavar="PATH|VERSION", help="The Envoy to measure. Default: the first that is found."
)
@click.option("-y", "--yes", is_flag=True, help="Fetch a missing compiler or Envoy without asking.")
@click.option(
    "-o", "--output", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.pass_obj
def bench(
    console: Console,
    what: str,
    config: str | None,
    root_id: str | None,
    path: str,
    rounds: int,
    seconds: float,
    plot: Path | None,
    check: bool,
    no_envoy: bool,
    envoy: str | None,
    yes: bool,
    form: str,
) -> None:
    """Measure what a filter costs.

    On the test host: instructions and time of each callback, memory, leaks. On Envoy: CPU, requests and
    latency, against the same Envoy without the filter, in turns.
    """
    import asyncio

    if plot and no_envoy:
        raise UsageError("--plot draws what was measured on Envoy, which --no-envoy leaves out")
    from weft.envoy import Native
    from weft.workflows.measuring.bench import benchmark
    from weft.workflows.measuring.proxy import Rounds
    from weft.workflows.running.chain import Wishes
    from weft.workflows.running.loading import Loader

    made = asyncio.run(
        benchmark(
            what,
            Wishes(configs=(config,) if config is not None else (), root_ids=(root_id,) if root_id else ()),
            Loader(store=console.places.store, build=builder(console, yes=yes)),
            rounds=Rounds(count=rounds, seconds=seconds, path=path),
            program=None if no_envoy else Native(envoy_program(console, envoy, yes=yes)),
            env=console.env,
        )
    )
    if form == "json":
        verdicts = [verdict_document(verdict) for verdict in made.verdicts]
        console.document(made.document() | {"budgets": verdicts}, form)
    else:
        for line in _lines(made):
            console.data(line)
    if plot and made.envoy:
        _draw(plot, made.name, made.envoy)
    exceeded = [verdict for verdict in made.verdicts if not verdict.kept]
    if check and exceeded:
        raise WeftError(f"{len(exceeded)} of {len(made.verdicts)} budgets are exceeded")


def _draw(file: Path, name: str, comparison: "Comparison") -> None:
    from weft.base.files import atomic_write, os_errors_as
    from weft.workflows.measuring.plot import plot

    with os_errors_as(f"cannot write {file}"):
        atomic_write(file, plot(name, comparison).encode())


def _lines(made: "Benchmark") -> Iterator[str]:
    yield from _host_lines(made.host)
    if made.envoy:
        yield ""
        yield from _envoy_lines(made.envoy)
    if made.verdicts:
        yield ""
        yield from map(verdict_line, made.verdicts)


def _host_lines(host: "HostFigures") -> Iterator[str]:
    yield f"{'on the test host':<40} {'a request':>9} {'us a call':>9} {'fuel a call':>11}"
    for cost in host.callbacks:
        yield f"  {cost.name:<38} {cost.calls:>9.2f} {cost.microseconds:>9.1f} {cost.fuel:>11,.0f}"
    yield f"  {'fuel a request':<38} {'':>9} {'':>9} {host.fuel:>11,.0f}"
    for title, value in (
        ("size of the module", host.module_size),
        ("memory of a VM", host.memory.per_vm),
        ("memory of an open request", host.memory.per_stream),
        ("memory left of each request", host.memory.leak_slope),
    ):
        yield f"  {title:<38} {_amount(value):>31}"


def _envoy_lines(envoy: "Comparison") -> Iterator[str]:
    bare, filtered = envoy.bare, envoy.filtered
    yield f"{'on Envoy':<40} {'without':>9} {'with':>9} {'ratio':>11}"
    cpu = median(bare.cpu_us), median(filtered.cpu_us)
    for title, left, right, ratio in (
        ("CPU us a request", *cpu, envoy.ratio),  # of each round, not of these two
        ("requests a second", bare.rate, filtered.rate, filtered.rate / bare.rate),
        ("latency us, half of them", bare.p50_us, filtered.p50_us, filtered.p50_us / bare.p50_us),
        ("latency us, 99 of 100", bare.p99_us, filtered.p99_us, filtered.p99_us / bare.p99_us),
    ):
        yield f"  {title:<38} {left:>9,.1f} {right:>9,.1f} {ratio:>11.2f}"
    yield f"  {'CPU us the filter adds':<38} {'':>9} {envoy.added_us:>9.1f}"
    slopes = f"{bare.memory_slope:>9.1f} {filtered.memory_slope:>9.1f}"
    yield f"  {'memory left of each request, bytes':<38} {slopes}"
    if filtered.good < 1:
        yield f"  {1 - filtered.good:.0%} of the answers with the filter were errors (400 or above)"


def _amount(value: float) -> str:
    from weft.workflows.measuring.budgets import amount

    return amount(value, "bytes")
