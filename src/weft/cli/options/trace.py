"""``--trace`` and ``--trace=decoded``: an option whose value may be left out.

click would take the next word for the value, and that is a folder or a module; so a bare ``--trace`` gets its
value before click reads the words.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from weft.tracing import Form

__all__ = ["TracingCommand", "trace_form", "trace_option"]

_FORMS = ("plain", "decoded")


class _Trace(click.Option):
    bare = ""


class TracingCommand(click.Command):
    """A command with a ``trace_option``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words, after giving a bare ``--trace`` its value."""
        option = next(one for one in self.params if isinstance(one, _Trace))
        end = args.index("--") if "--" in args else len(args)
        given = [f"--trace={option.bare}" if word == "--trace" else word for word in args[:end]]
        return super().parse_args(ctx, given + args[end:])


def trace_option(bare: str, *, help: str) -> Callable[[Any], Any]:  # noqa: A002 - as click calls it
    """The option; ``bare`` is what it means without a value."""
    kind = type("Trace", (_Trace,), {"bare": bare})
    text = f"{help} plain: as Envoy logs it; decoded: with names for the numbers.  [default: {bare}]"
    return click.option("--trace", cls=kind, type=click.Choice(_FORMS), metavar="[=plain|decoded]", help=text)


def trace_form(word: str | None) -> "Form":
    """What was said; an empty text where nothing was."""
    return "decoded" if word == "decoded" else "plain" if word else ""
