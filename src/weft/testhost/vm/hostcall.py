"""A function the host offers, as the VM links it."""

from collections.abc import Callable
from dataclasses import dataclass

from weft.wasm import HostFunction

__all__ = ["Body", "Hostcall"]

Body = Callable[..., int | None]
"""Called with the VM and the guest's numbers, unsigned; answers a status."""


@dataclass(frozen=True, slots=True)
class Hostcall:
    """A row of the table, ready to be linked."""

    row: HostFunction
    body: Body
    bad_address: int
    """What a pointer out of bounds gives."""
