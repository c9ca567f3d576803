"""Whether the pods of a workload are those of its newest template."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any

from weft.base.clock import Clock
from weft.errors import WeftError
from weft.kube import Kube, Object, Ref

__all__ = ["RolloutFailed", "rollout_state", "settling_state", "wait_for_rollouts"]

_APPS = "apps/v1"
_POLL_SECONDS = 0.5


class RolloutFailed(WeftError):
    """Pods of a workload do not get where they should."""


def rollout_state(held: Object) -> str:
    """What is still missing, for people; empty when every pod is new and available.

    Raises ``RolloutFailed`` when Kubernetes has given up, or will not do it by itself. The rules are those of
    ``kubectl rollout status``.
    """
    spec, status = held.get("spec") or {}, held.get("status") or {}
    if int(status.get("observedGeneration") or 0) < int(held["metadata"].get("generation") or 0):
        return "not noticed yet"
    kind, ref = held.get("kind"), Ref.of(held)
    strategy = (spec.get("updateStrategy") or {}).get("type")
    if kind != "Deployment" and strategy == "OnDelete":
        raise _on_delete(held)
    if kind == "DaemonSet":
        wanted = int(status.get("desiredNumberScheduled") or 0)
        new, ready = (int(status.get(key) or 0) for key in ("updatedNumberScheduled", "numberAvailable"))
        return _missing(wanted, new, ready, wanted)
    _check_progress(ref, status)
    wanted = _wanted(spec)
    new, there = (int(status.get(key) or 0) for key in ("updatedReplicas", "replicas"))
    ready = int(status.get("availableReplicas" if kind == "Deployment" else "readyReplicas") or 0)
    return _missing(wanted, new, ready, there)


def settling_state(held: Object) -> str:
    """What is still missing until no pod is older than the workload's template; of readiness nothing.

    Raises ``RolloutFailed`` when Kubernetes will not replace the old ones by itself.
    """
    spec, status = held.get("spec") or {}, held.get("status") or {}
    if int(status.get("observedGeneration") or 0) < int(held["metadata"].get("generation") or 0):
        return "not noticed yet"
    daemons = held.get("kind") == "DaemonSet"
    of_daemons = ("currentNumberScheduled", "updatedNumberScheduled")
    counts = of_daemons if daemons else ("replicas", "updatedReplicas")
    there, new = (int(status.get(key) or 0) for key in counts)
    if there > new and (spec.get("updateStrategy") or {}).get("type") == "OnDelete":
        raise _on_delete(held)
    if there > new:
        return f"{there - new} old pods are still there"
    # Counts come later than pods: until there is a new one, nothing is said of the old ones.
    wanted = int(status.get("desiredNumberScheduled") or 0) if daemons else _wanted(spec)
    return "no new pod is there yet" if wanted and not new else ""


def _wanted(spec: Mapping[str, Any]) -> int:
    """Kubernetes' own default is one."""
    return int(spec["replicas"] if spec.get("replicas") is not None else 1)


def _on_delete(held: Object) -> RolloutFailed:
    return RolloutFailed(
        f"{Ref.of(held)} replaces pods only when they are deleted (updateStrategy OnDelete)",
        hint="delete its pods yourself, or change the strategy",
    )


def _missing(wanted: int, new: int, ready: int, there: int) -> str:
    if new < wanted:
        return f"{new} of {wanted} pods are new"
    if there > new:
        return f"{there - new} old pods are still there"
    if ready < wanted:
        return f"{ready} of {wanted} pods are available"
    return ""


def _check_progress(ref: Ref, status: dict[str, Any]) -> None:
    for condition in status.get("conditions") or ():
        if condition.get("type") == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded":
            raise RolloutFailed(f"{ref}: {condition.get('message') or 'its rollout made no progress'}")


async def wait_for_rollouts(
    kube: Kube,
    refs: Collection[Ref],
    *,
    seconds: float,
    clock: Clock,
    say: Callable[[str], None],
    state_of: Callable[[Object], str] = rollout_state,
) -> None:
    """Wait until ``state_of`` finds nothing missing; raises ``RolloutFailed`` with what is."""
    end, told = clock.now() + seconds, dict.fromkeys(refs, "")
    left = list(refs)
    while left:
        groups = sorted({(ref.kind, ref.namespace) for ref in left})
        listings = await asyncio.gather(*(kube.list(_APPS, kind, namespace=held) for kind, held in groups))
        there = {Ref.of(one): one for listing in listings for one in listing.items}
        states = {ref: state_of(there[ref]) for ref in left if ref in there}  # one that is gone is done
        for ref, state in states.items():
            if state and state != told[ref]:
                told[ref] = state
                say(f"{ref}: {state}")
        left = [ref for ref, state in states.items() if state]
        if left and clock.now() > end:
            missing = "; ".join(f"{ref}: {states[ref]}" for ref in left)
            raise RolloutFailed(f"the pods did not get ready within {seconds:g} s: {missing}")
        if left:
            await clock.sleep(_POLL_SECONDS)
