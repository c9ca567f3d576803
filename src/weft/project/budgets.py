"""``[budgets]`` of ``weft.toml``: what a filter may cost at most.

::

    [budgets]
    module_size = "200 kB"          # of the module's file
    memory_per_vm = "2 MiB"         # once it is configured
    memory_per_stream = "1 KiB"     # while a request is open
    leak_slope = "32 B"             # what stays of each request that is over
    cpu_per_request = "1.5x"        # of Envoy's own; or "5us", what the filter adds
"""

import re
from typing import Any, NamedTuple

import msgspec

from weft.errors import UsageError

__all__ = ["Budgets", "Limit"]

_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-zµ]*)")
_BYTES = {
    unit + suffix: base**power
    for base, infix in ((1000, ""), (1024, "i"))
    for power, letter in enumerate(("", "k", "M", "G"))
    for unit in {f"{letter}{infix}" if letter else "", f"{letter.upper()}{infix}" if letter else ""}
    for suffix in ("", "B")
}
_CPU = {"x": "ratio", "us": "microseconds", "µs": "microseconds"}


class Limit(NamedTuple):
    """One budget: ``unit`` is ``bytes``, ``ratio`` or ``microseconds``; ``text`` as the author wrote it."""

    name: str
    most: float
    unit: str
    text: str


class Budgets(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The section as it was written."""

    module_size: str | int | None = None
    memory_per_vm: str | int | None = None
    memory_per_stream: str | int | None = None
    leak_slope: str | int | None = None
    cpu_per_request: str | None = None

    @classmethod
    def parse(cls, data: Any, *, where: str) -> "Budgets":
        """From plain data, such as an image carries; raises ``UsageError``."""
        try:
            made = msgspec.convert(data, cls)
        except msgspec.ValidationError as error:
            raise UsageError(f"{where}: {error}") from error
        made.limits(where=where)
        return made

    def document(self) -> dict[str, Any]:
        """Plain data, only what was said."""
        made: dict[str, Any] = msgspec.to_builtins(self)
        return made

    def limits(self, *, where: str = "budgets") -> tuple[Limit, ...]:
        """What was said, as numbers; raises ``UsageError`` for an amount that is none."""
        return tuple(_limit(name, str(value), where) for name, value in self.document().items())


def _limit(name: str, text: str, where: str) -> Limit:
    units: dict[str, Any] = _CPU if name == "cpu_per_request" else _BYTES
    found = _AMOUNT.fullmatch(text.strip())
    if found is None or found[2] not in units:
        example = "1.5x or 5us" if units is _CPU else "64 KiB"
        raise UsageError(f"{where}.{name}: {text!r} is no amount", hint=f"write {example}")
    if units is _CPU:
        return Limit(name, float(found[1]), _CPU[found[2]], text)
    return Limit(name, float(found[1]) * _BYTES[found[2]], "bytes", text)
