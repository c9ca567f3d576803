"""How a case went on one proxy."""

from dataclasses import dataclass

from weft.scenario.cases import Case
from weft.scenario.judging import Mismatch
from weft.scenario.observed import Observed

__all__ = ["Impossible", "LeftOut", "Played", "StepResult"]


class Impossible(Exception):
    """A step that cannot happen now, such as an answer to a request that never went on."""

    def __init__(self, what: str, expected: str, got: str) -> None:
        super().__init__(what)
        self.mismatch = Mismatch(what, expected, got)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that this proxy cannot do or show, so nothing was judged by it."""

    what: str
    """``setup.clock``, ``metrics.requests_ms``."""
    reason: str


@dataclass(frozen=True, slots=True)
class StepResult:
    """What differed after one step (0: at the start, one more than there are steps: at the end)."""

    number: int
    mismatches: tuple[Mismatch, ...]
    trace: tuple[str, ...]
    """What crossed the border during the step."""
    observed: Observed | None = None
    """What was judged, where a proxy got so far."""
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True)
class Played:
    """How a case went; it ends at the first step with a mismatch."""

    case: Case
    steps: tuple[StepResult, ...]
    on: str = "host"
    """``host`` or ``envoy``."""

    @property
    def passed(self) -> bool:
        """Whether all was as expected."""
        return not any(step.mismatches for step in self.steps)

    @property
    def trace(self) -> list[str]:
        """Everything that crossed the border."""
        return [line for step in self.steps for line in step.trace]

    @property
    def left_out(self) -> list[LeftOut]:
        """All that was not judged here."""
        return [item for step in self.steps for item in step.left_out]

    @property
    def unplayed(self) -> bool:
        """Whether nothing of it could be played here."""
        return not any(step.observed or step.mismatches for step in self.steps) and bool(self.left_out)
