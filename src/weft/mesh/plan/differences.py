"""What differs between two plans."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from weft.mesh.plan.plan import Do, Plan, Step

__all__ = ["Change", "Changed", "changes"]


class Changed(StrEnum):
    """How."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is told otherwise."""

    how: Changed
    what: str
    """``WasmPlugin bookinfo/add-header``, ``file /var/local/lib/…``."""
    before: Any
    after: Any


def changes(before: Plan | None, after: Plan | None) -> list[Change]:
    """From ``before`` to ``after``; ``None`` is a plan without anything. New things come first."""
    old, new = _things(before), _things(after)
    found = [Change(Changed.ADDED, name, None, new[name]) for name in new if name not in old]
    found += [
        Change(Changed.CHANGED, name, old[name], new[name])
        for name in new
        if name in old and old[name] != new[name]
    ]
    return found + [Change(Changed.REMOVED, name, old[name], None) for name in old if name not in new]


def _things(plan: Plan | None) -> dict[str, Any]:
    steps = plan.steps if plan else ()
    return {_name(step): _content(step) for step in steps if step.do is not Do.SETTLE}


def _content(step: Step) -> Any:
    return step.document()["file"] if step.do is Do.HOLD else step.object


def _name(step: Step) -> str:
    if step.file is not None:
        return f"file {step.file.path}"
    held = dict(step.object or {})
    metadata = held.get("metadata")
    if metadata is None:
        return f"resource {held['name']}" if "name" in held else "bootstrap"
    place = "/".join(metadata[key] for key in ("namespace", "name") if key in metadata)
    return f"{held['kind']} {place}"
