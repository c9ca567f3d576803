"""What became of one reconciliation."""

from dataclasses import dataclass
from enum import StrEnum

from weft.errors import WeftError
from weft.mesh import Workload
from weft.operator.rolling import RollingOut
from weft.operator.staging import Rolled

__all__ = ["Outcome", "Stage"]


class Stage(StrEnum):
    """The way of a filter, in order; each is a condition of its status."""

    RESOLVED = "Resolved"
    """The image is known by digest, and its module is at hand."""
    VERIFIED = "Verified"
    """It has the signatures that are asked for."""
    COMPATIBLE = "Compatible"
    """The target can do what is asked, and the filter takes its config."""
    DISTRIBUTED = "Distributed"
    """Every node that will run it holds the module."""
    PROGRAMMED = "Programmed"
    """The mesh is told, and pods have what they need."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How far it came: to the end, or to ``stage``, where ``error`` says why not further."""

    generation: int
    stage: Stage | None = None
    error: WeftError | None = None
    image: str = ""
    workloads: tuple[Workload, ...] = ()
    stale: str = ""
    """Why the image could not be looked at anew."""
    rolled: Rolled | None = None
    """Where a version is rolled out step by step."""

    @property
    def trouble(self) -> WeftError | None:
        """What is in the way; waiting for the next stage is not."""
        return None if isinstance(self.error, RollingOut) else self.error

    @property
    def reason(self) -> str:
        """One word for programs."""
        return "Deployed" if self.error is None else type(self.error).__name__

    @property
    def message(self) -> str:
        """For people."""
        if self.error is None:
            return self.image
        parts = (str(self.error), self.error.hint, self.error.detail)
        return "; ".join(" ".join(part.split()) for part in parts if part)[:4096]
