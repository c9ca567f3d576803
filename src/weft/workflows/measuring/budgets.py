"""Figures against budgets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from weft.project import Limit

__all__ = ["CPU_RATIO", "Verdict", "amount", "judged"]

CPU_RATIO = "cpu_per_request ratio"
"""How the ratio is called beside ``cpu_per_request``, which is in microseconds."""
_KIB, _MIB = 1024, 1024 * 1024


@dataclass(frozen=True, slots=True)
class Verdict:
    """A budget and what it is for."""

    limit: Limit
    value: float

    @property
    def kept(self) -> bool:
        """Whether the filter costs no more than that."""
        return self.value <= self.limit.most

    @property
    def shown(self) -> str:
        """The figure, in words."""
        return amount(self.value, self.limit.unit)


def judged(limits: Iterable[Limit], figures: Mapping[str, float]) -> tuple[Verdict, ...]:
    """The budgets for which there is a figure, in their order."""
    named = ((CPU_RATIO if limit.unit == "ratio" else limit.name, limit) for limit in limits)
    return tuple(Verdict(limit, figures[name]) for name, limit in named if name in figures)


def amount(value: float, unit: str) -> str:
    """``1.19x``, ``3.2 us``, ``64.0 KiB``."""
    if unit == "ratio":
        return f"{value:.2f}x"
    if unit == "microseconds":
        return f"{value:.1f} us"
    if value >= _MIB:
        return f"{value / _MIB:.2f} MiB"
    return f"{value / _KIB:.1f} KiB" if value >= _KIB else f"{value:.0f} B"
