"""``weft symbolize``."""

from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from weft.cli.console import Console

if TYPE_CHECKING:
    from weft.symbols import Frame, Symbols

__all__ = ["symbolize"]


@click.command
@click.argument("module", metavar="FILE|REF")
@click.argument(
    "log", metavar="[LOG|-]", type=click.Path(exists=True, dir_okay=False, allow_dash=True), default="-"
)
@click.option(
    "-o",
    "output",
    type=click.Choice(["text", "json"]),
    default="text",
    help="The log with what was found in it, or only the frames.",
)
@click.pass_obj
def symbolize(console: Console, module: str, log: str, output: str) -> None:
    """Put functions, files and lines into a log's backtraces.

    Reads a log of Envoy, wasmtime or V8 (standard input, unless LOG is given) and writes it line by line,
    with each frame of the module named: from its debug information, inlined functions included, else from
    the names it keeps. The module must be the very one that crashed.
    """
    from weft.symbols import Symbols, annotated, frames_in
    from weft.workflows.authoring.modules import load_module, stored_module

    loaded = load_module(module, stored_module(console.places.store))
    symbols = Symbols(loaded.data, loaded.module)
    if not symbols.exist:
        console.talk(f"{module} keeps neither names nor debug information: only exports can be named")
    with nullcontext(console.stdin) if log == "-" else Path(log).open(errors="replace") as source:
        lines = (line.rstrip("\r\n") for line in source)
        if output == "json":
            frames = (frame for line in lines for frame in frames_in(line))
            console.document([_frame(frame, symbols) for frame in frames], output)
            return
        for line in annotated(lines, symbols):
            console.data(line)


def _frame(frame: "Frame", symbols: "Symbols") -> dict[str, Any]:
    functions = [asdict(function) for function in symbols.at(frame.offset)]
    return {"depth": frame.depth, "offset": frame.offset, "functions": functions}
