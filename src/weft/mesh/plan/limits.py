"""What a target has no words for, asked in one place so that every target says it the same way."""

from collections.abc import Callable, Collection, Iterator

from weft.mesh.intent.intent import Intent, Spec
from weft.mesh.intent.plugin import Failure
from weft.mesh.plan.capabilities import beyond
from weft.mesh.plan.facts import Facts
from weft.mesh.plan.plan import PlanRefused

__all__ = ["limits", "refuse"]

_ASKED: dict[str, Callable[[Spec], bool]] = {
    "routes": lambda spec: bool(spec.routes),
    "phase": lambda spec: spec.phase is not None,
    "priority": lambda spec: spec.priority is not None,
    "environment": lambda spec: bool(spec.environment),
    "hostEnvironment": lambda spec: bool(spec.host_environment),
    "workloads": lambda spec: spec.workloads is not None,
    "targetRefs": lambda spec: bool(spec.target_refs),
    "pullSecret": lambda spec: bool(spec.pull_secret),
    "registry": lambda spec: spec.registry.plain_http or spec.registry.insecure_skip_verify,
    "rollout": lambda spec: spec.rollout is not None,
    "failure: open": lambda spec: spec.failure is Failure.OPEN,
    "failure: reload": lambda spec: spec.failure is Failure.RELOAD,
}


def limits(
    target: str, intent: Intent, facts: Facts, *, lacks: Collection[str], restricts: bool = False
) -> Iterator[str]:
    """A reason for each thing that is asked and that ``target`` ``lacks``.

    ``restricts`` says whether the target can limit capabilities. One that cannot is still fine for a module
    that imports no more than it is allowed: its digest is pinned.
    """
    for name in lacks:
        if _ASKED[name](intent.spec):
            yield f"{target} has no place for spec.{name}"
    if not restricts:
        try:
            more = beyond(intent, facts)
        except PlanRefused as error:
            yield str(error)
        else:
            if more:
                yield f"{target} cannot forbid {', '.join(more)}, which spec.capabilities does not allow"


def refuse(target: str, reasons: Collection[str], *, hint: str | None = None) -> None:
    """Raise ``PlanRefused`` if there are reasons."""
    if reasons:
        raise PlanRefused(f"{target}: {'; '.join(reasons)}", reasons=tuple(reasons), hint=hint)
