"""A filter's entry in the list of wasm filters of a Gloo Gateway.

The list is one value to Kubernetes and belongs to everybody, as the rest of the Gateway does: our entry is
found by its name, those of others stay as they are. In a list sorted by name, as wasme sorted it, ours has
its place by name.
"""

import copy
from collections.abc import Mapping
from typing import Any

from weft.mesh.plan.plan import PlanRefused

__all__ = ["entry_of", "entry_patch", "with_entry"]

Object = Mapping[str, Any]
# What the API adds to an object, and who wrote which field.
_SERVERS = frozenset({"creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"})


def entry_of(gateway: Object, name: str) -> dict[str, Any] | None:
    """The entry called ``name``; raises ``PlanRefused`` where the Gateway has something else than a list."""
    return next((one for one in _entries(gateway) if one.get("name") == name), None)


def with_entry(gateway: Object, entry: Object) -> dict[str, Any]:
    """A copy of the Gateway, as far as people write it, with ``entry`` in its list; raises as above."""
    changed: dict[str, Any] = {key: copy.deepcopy(held) for key, held in gateway.items() if key != "status"}
    changed["metadata"] = {key: held for key, held in changed["metadata"].items() if key not in _SERVERS}
    place = changed
    for key in ("spec", "httpGateway", "options", "wasm"):
        place[key] = place = place.get(key) or {}
    place["filters"] = _changed(gateway, str(entry["name"]), entry)
    return changed


def entry_patch(gateway: Object, name: str, entry: Object | None) -> dict[str, Any] | None:
    """The merge patch after which ``name`` is ``entry``, or is gone; ``None``: it is so already.

    It is for the Gateway as it was read: the API refuses it when somebody else was faster. With the last
    entry go the mappings that were there for the list alone. Raises as above.
    """
    if entry_of(gateway, name) == entry:
        return None
    options: Any = {"wasm": {"filters": listed}} if (listed := _changed(gateway, name, entry)) else None
    if options is None and len(_mapping(_mapping(gateway, "spec", "httpGateway"), "options")) > 1:
        options = {"wasm": None}
    metadata = {"resourceVersion": gateway["metadata"]["resourceVersion"]}
    return {"metadata": metadata, "spec": {"httpGateway": {"options": options}}}


def _changed(gateway: Object, name: str, entry: Object | None) -> list[dict[str, Any]]:
    names = [str(one.get("name")) for one in _entries(gateway)]
    kept = [one for one in _entries(gateway) if one.get("name") != name]
    if entry is None:
        return kept
    later = next((index for index, other in enumerate(names) if other > name), len(names))
    place = names.index(name) if name in names else later
    return [*kept[:place], dict(entry), *kept[place:]]


def _entries(gateway: Object) -> list[dict[str, Any]]:
    held = _mapping(gateway, "spec", "httpGateway", "options", "wasm").get("filters") or []
    if not isinstance(held, list) or not all(isinstance(one, dict) for one in held):
        name = gateway["metadata"].get("name")
        raise PlanRefused(f"Gateway {name}: spec.httpGateway.options.wasm.filters is no list of mappings")
    return held


def _mapping(held: Object, *path: str) -> Object:
    for key in path:
        held = found if isinstance(found := held.get(key), dict) else {}
    return held
