"""How long, on a command line: seconds, or words as Go's programs take them."""

import re
from typing import Any

import click

__all__ = ["SECONDS"]

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")


class _Seconds(click.ParamType[float]):
    """``90``, ``1.5``, ``90s``, ``1m30s``: a float of seconds."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Raises ``BadParameter`` for anything else."""
        words = f"{value}s" if re.fullmatch("[0-9.]+", str(value)) else str(value)
        parts = _PART.findall(words)
        if not parts or "".join(number + unit for number, unit in parts) != words:
            self.fail(f"{value!r} is no duration, as 90, 90s or 1m30s", param, ctx)
        return sum(float(number) * _UNITS[unit] for number, unit in parts)

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:  # noqa: ARG002
        """As help shows it."""
        return "S"


SECONDS = _Seconds()
