"""One thing that stands between a module and Envoy."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Effect", "Problem"]


class Effect(StrEnum):
    """What happens when the module is given to Envoy anyway."""

    REFUSED = "refused"
    """Envoy logs why and rejects the configuration that names the module."""
    CRASHES = "crashes"
    """The Envoy process dies."""
    WARNING = "warning"
    """It loads, and does not do what its author thinks."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding."""

    rule: str
    effect: Effect
    message: str
    envoy: str | None = None
    """What Envoy logs, word for word, when it comes to this."""
    hint: str | None = None
