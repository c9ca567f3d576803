"""From one plan of a filter to the next, so that requests never pass without the filter.

All that the next plan says is done first, also what seems to be there: a plan may be repeated at any time.
Then goes what only the plan before needed, in the order of its removal: objects under an old name, a mount
of another mode, a file of an old version.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from weft.mesh.istio.mounts import patched, unmount_patch
from weft.mesh.plan.facts import Facts, Workload
from weft.mesh.plan.plan import Do, Plan, Step, object_ref

__all__ = ["transition"]


def transition(before: Plan, after: Plan, facts: Facts) -> tuple[Step, ...]:
    """What must be done, in order; both plans must be made of the same ``facts``."""
    return (*after.steps, *_leftovers(before, after, facts))


def _leftovers(before: Plan, after: Plan, facts: Facts) -> Iterator[Step]:
    kept = [(object_ref(step.object), step.entry) for step in after.removal if step.object]
    mounts = {_place(step) for step in after.removal if step.do is Do.UNMOUNT}
    for step in before.removal:
        if step.do is Do.UNMOUNT:
            if _place(step) not in mounts and (again := _unmount(step, after, facts)):
                yield again
        elif step.file is not None:
            if step.file.path not in {file.path for file in after.files}:
                yield step
        elif step.object is not None and (object_ref(step.object), step.entry) not in kept:
            yield step


def _unmount(step: Step, after: Plan, facts: Facts) -> Step | None:
    """The same on the workload as the next plan leaves it: that one may have mounted something."""
    for workload in facts.workloads or ():
        if _is(workload, step.object):
            mounts = (one.object for one in after.steps if one.do is Do.MOUNT and _is(workload, one.object))
            patch = unmount_patch(patched(workload, next(mounts, None)), step.volume)
            return replace(step, object=patch) if patch else None
    return None


def _place(step: Step) -> tuple[str, str, str]:
    held: Mapping[str, Any] = step.object or {}
    return held["kind"], held["metadata"]["name"], step.volume


def _is(workload: Workload, held: Mapping[str, Any] | None) -> bool:
    named = (workload.kind, workload.name, workload.namespace)
    metadata = held["metadata"] if held else {}
    return held is not None and named == (held["kind"], metadata["name"], metadata["namespace"])
