"""Outcomes as the status of each kind of custom resource, in its own shape. Pure."""

from collections.abc import Mapping
from typing import Any

from weft.mesh import API_VERSION, Workload
from weft.operator.outcome import Outcome, Stage

__all__ = ["READY", "new_status", "ready_condition"]

READY = "Ready"
Object = Mapping[str, Any]


def new_status(held: Object, outcome: Outcome, now: str) -> dict[str, Any]:
    """The status of ``held`` after ``outcome``; ``now`` (RFC 3339) is for conditions that change.

    wasme's and ASM's resources have that of wasme: ``observedGeneration``, a ``state`` and ``reason`` for
    each workload by name, and a ``reason`` for the whole.
    """
    before = held.get("status") or {}
    if held["apiVersion"] == API_VERSION:
        return _own(before, outcome, now)
    return _of_wasme(outcome)


def ready_condition(status: Object) -> tuple[str, str, str]:
    """Status, reason and message of ``Ready``; empty where there is none."""
    for one in status.get("conditions") or ():
        if one.get("type") == READY:
            return one.get("status", ""), one.get("reason", ""), one.get("message", "")
    if "observedGeneration" in status:
        reason = str(status.get("reason") or "")
        return ("False" if reason else "True", "", reason)
    return "", "", ""


def _own(before: Object, outcome: Outcome, now: str) -> dict[str, Any]:
    known = {one.get("type"): one for one in before.get("conditions") or ()}
    status: dict[str, Any] = {
        "observedGeneration": outcome.generation,
        "conditions": [
            _condition(kind, state, reason, message, outcome, known.get(kind), now)
            for kind, state, reason, message in _conditions(outcome)
        ],
        "workloads": [_workload(one, outcome) for one in outcome.workloads],
    }
    if outcome.rolled is not None:
        status["rollout"] = outcome.rolled.progress.document()
    elif "rollout" in before and outcome.error is None:
        status["rollout"] = None
    image = outcome.image or before.get("resolvedImage")
    return {**status, "resolvedImage": image} if image else status


def _workload(one: Workload, outcome: Outcome) -> dict[str, Any]:
    state = "Ready" if outcome.error is None else "Pending"
    image, message = outcome.image, "" if outcome.error is None else str(outcome.error)
    if outcome.rolled is not None and outcome.rolled.reached is not None:
        new = one in outcome.rolled.reached
        state, image, message = ("Ready", image, "") if new else ("Former", outcome.rolled.former, "")
    digest = image.rpartition("@")[2]
    return {"kind": one.kind, "name": one.name, "state": state, "digest": digest, "message": message}


def _conditions(outcome: Outcome) -> list[tuple[str, str, str, str]]:
    rows, failed = [], False
    for stage in Stage:
        if stage is outcome.stage:
            failed = True
            rows.append((str(stage), "False", outcome.reason, outcome.message))
        else:
            state, reason = ("Unknown", "Waiting") if failed else ("True", str(stage))
            old = stage is Stage.RESOLVED and outcome.stale
            rows.append((str(stage), state, "Stale" if old else reason, outcome.stale if old else ""))
    ready = "False" if failed else "True"
    return [*rows, (READY, ready, outcome.reason, outcome.message)]


def _condition(
    kind: str, state: str, reason: str, message: str, outcome: Outcome, before: Object | None, now: str
) -> dict[str, Any]:
    same = before is not None and before.get("status") == state
    return {
        "type": kind,
        "status": state,
        "reason": reason,
        "message": message,
        "observedGeneration": outcome.generation,
        "lastTransitionTime": before["lastTransitionTime"] if same and before else now,
    }


def _of_wasme(outcome: Outcome) -> dict[str, Any]:
    reason = outcome.message if outcome.error else ""
    state = "Succeeded" if outcome.error is None else "Failed"
    workloads = {one.name: {"state": state, "reason": reason} for one in outcome.workloads}
    return {"observedGeneration": outcome.generation, "workloads": workloads, "reason": reason}
