"""Play cases on real Envoys: one after the other on each, and on several Envoys when there are many."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from weft.envoy import Program
from weft.scenario import Case, Mismatch, Played, StepResult
from weft.stage import PATIENCE, Lost, Project, open_stage, play_on_stage

__all__ = ["EnvoyJob", "play_on_envoy"]

# A second Envoy compiles the module once more, which takes as long as many cases.
_WORTH_AN_ENVOY = 100


@dataclass(frozen=True, slots=True)
class EnvoyJob:
    """What all cases have in common."""

    module: bytes = field(repr=False)
    program: Program
    env: Mapping[str, str] = field(repr=False)
    project: Project
    known: Callable[[Case], frozenset[str]]
    """The servers that the filter calls in a case that does not say which it may."""
    others: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """The modules of neighbors, by the names that cases have for them."""
    patience: float = PATIENCE
    """How many seconds an Envoy may be silent."""


async def play_on_envoy(cases: Sequence[Case], job: EnvoyJob, jobs: int) -> list[Played]:
    """How each case went, in order. Raises what starting an Envoy raises."""
    waiting = deque(enumerate(cases))
    played: dict[int, Played] = {}
    try:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(max(1, min(jobs, len(cases) // _WORTH_AN_ENVOY))):
                tasks.create_task(_work(waiting, played, job))
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None
    return [played[number] for number in range(len(cases))]


async def _work(waiting: "deque[tuple[int, Case]]", played: dict[int, Played], job: EnvoyJob) -> None:
    """Play what waits. An Envoy that a filter brought down is replaced."""
    while waiting:
        async with open_stage(job.module, job.program, job.env, patience=job.patience) as stage:
            while waiting and not stage.spent:
                number, case = waiting.popleft()
                known = job.known(case)
                try:
                    played[number] = await play_on_stage(
                        case, stage, job.project, f"weft-{number}", known, job.others
                    )
                except Lost as lost:
                    played[number] = _brought_down(case, lost)
                    break


def _brought_down(case: Case, lost: Lost) -> Played:
    mismatch = Mismatch("envoy", "it answers", str(lost))
    return Played(case, (StepResult(0, (mismatch,), ()),), "envoy")
