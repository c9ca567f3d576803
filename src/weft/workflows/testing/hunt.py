"""What was found: each thing once, with the smallest scenario that shows it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from weft.fuzzing import Fails, minimise
from weft.scenario import Case
from weft.workflows.testing.findings import Finding, Kind
from weft.workflows.testing.keeping import keep
from weft.workflows.testing.test import On

__all__ = ["Found", "Hunt"]

_MOST = 20
_SECONDS = 30.0
"""How long a smaller scenario is looked for, at most."""
_TRIES = {Kind.TRAP: 500, Kind.HELD: 500, Kind.ENDLESS: 40, Kind.LEAK: 60, Kind.DIFFERS: 300}


@dataclass(slots=True)
class Found:
    """A finding, and the scenario that shows it."""

    finding: Finding
    case: Case | None
    """``None`` where no single scenario shows it."""
    file: Path | None
    """Where the case is."""
    new: bool
    """Whether it was generated, rather than one of the project's own."""
    on: On = On.HOST
    """Where it shows."""
    seen: int = 1
    """In how many scenarios."""


@dataclass(slots=True)
class Hunt:
    """Takes findings for a project."""

    base: Path
    """The folder by which its own cases name their files."""
    beside: Path
    """The folder for others."""
    origin: str
    """What is to be run to find all of it again."""
    say: Callable[[str], None]
    found: dict[tuple[str, ...], Found] = field(default_factory=dict)
    expected: set[tuple[str, ...]] = field(default_factory=set)
    """What scenarios of the project want to see."""
    more: int = 0
    """Findings of other keys, when there were enough."""

    def take(
        self,
        finding: Finding,
        case: Case | None,
        fails: Fails | None = None,
        *,
        at_once: int = 1,
        on: On = On.HOST,
    ) -> None:
        """Make the case as small as can be, and write it; ``fails`` finds smaller ones that show the same.

        Without it the case is one of the project's own.
        """
        if finding.key in self.expected:
            return
        if finding.key in self.found:
            self.found[finding.key].seen += 1
        elif len(self.found) >= _MOST:
            self.more += 1
        elif case is None or fails is None:
            file = self.base / case.where if case else None
            self.found[finding.key] = Found(finding, case, file, new=False, on=on)
        else:
            self._minimise(finding, case, fails, at_once, on)

    def _minimise(self, finding: Finding, case: Case, fails: Fails, at_once: int, on: On) -> None:
        smallest, end = case, time.monotonic() + _SECONDS

        def in_time(cases: Sequence[Case]) -> Case | None:
            return fails(cases) if time.monotonic() < end else None

        try:
            self.say(f"{finding.kind}: {finding.title}; looking for the smallest scenario")
            for smaller in minimise(case, in_time, most=_TRIES[finding.kind], at_once=at_once):
                smallest = smaller
        finally:  # the best there is, also when somebody has no more patience
            file = keep(finding, smallest, self.beside, self.origin)
            self.found[finding.key] = Found(finding, smallest, file, new=True, on=on)
