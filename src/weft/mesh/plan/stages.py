"""By which workloads a new version reaches them, step by step.

Istio selects pods by labels, and pods of one workload have the same: so a step is so many percent of the
workloads, rounded up, in the order of their names. With a rollout each workload has objects of its own, so
that those of the others can stay as they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from weft.mesh.intent.intent import Rollout
from weft.mesh.plan.facts import Workload

__all__ = ["RolloutStage", "seconds_of", "stages"]

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class RolloutStage:
    """The workloads that have the new version then, and the seconds until the next stage."""

    workloads: tuple[Workload, ...]
    hold: float


def stages(rollout: Rollout, workloads: Sequence[Workload]) -> tuple[RolloutStage, ...]:
    """One for each step; after them all workloads have it."""
    ordered = sorted(workloads, key=lambda one: (one.name, one.kind))
    return tuple(
        RolloutStage(
            tuple(ordered[: -(-len(ordered) * step.percent // 100)]),
            seconds_of(step.hold) if step.hold else 0.0,
        )
        for step in rollout.steps
    )


def seconds_of(text: str) -> float:
    """``5m`` → 300."""
    number = text.rstrip("hms")
    return float(number) * _UNITS[text.removeprefix(number)]
