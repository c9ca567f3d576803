"""The annotations by which Istio's injector gives the proxies of a workload one more folder.

``sidecar.istio.io/userVolume`` and ``…/userVolumeMount`` hold a JSON list each. Ours is one entry of each,
found by its name; entries of others are kept, before ours, and stay when ours goes.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from weft.mesh.plan.facts import Workload
from weft.mesh.plan.plan import PlanRefused, Step

__all__ = [
    "VOLUME",
    "VOLUME_MOUNT",
    "mount_patch",
    "patched",
    "put_back",
    "remount",
    "unmount_patch",
    "unmounted",
]

VOLUME = "sidecar.istio.io/userVolume"
VOLUME_MOUNT = "sidecar.istio.io/userVolumeMount"

Entry = Mapping[str, Any]


def mount_patch(workload: Workload, volume: Entry, mount: Entry) -> dict[str, Any] | None:
    """What must change so that the workload's proxies have the volume; ``None``: they have it already.

    Raises ``PlanRefused`` when an annotation that is there holds something else than a list.
    """
    changed = {}
    for key, entry in ((VOLUME, volume), (VOLUME_MOUNT, mount)):
        held = _entries(workload, key)
        if dict(entry) not in held:
            kept = [one for one in held if one.get("name") != entry["name"]]
            changed[key] = _written([*kept, dict(entry)])
    return _patch(workload, changed)


def unmount_patch(workload: Workload, name: str) -> dict[str, Any] | None:
    """What must change so that the volume ``name`` is gone; ``None``: it is not there. Raises as above."""
    changed: dict[str, str | None] = {}
    for key in (VOLUME, VOLUME_MOUNT):
        held = _entries(workload, key)
        kept = [one for one in held if one.get("name") != name]
        if len(kept) < len(held):
            changed[key] = _written(kept) if kept else None
    return _patch(workload, changed)


def patched(workload: Workload, patch: Mapping[str, Any] | None) -> Workload:
    """``workload`` once ``patch``, one of the above, is applied."""
    changed = patch["spec"]["template"]["metadata"]["annotations"] if patch else {}
    held = {key: text for key, text in {**workload.annotations, **changed}.items() if text is not None}
    return replace(workload, annotations=held)


def remount(workload: Workload, step: Step) -> dict[str, str]:
    """Both annotations as they are once ``step``, a ``mount``, is done on the workload as it is now."""
    told = patched(replace(workload, annotations={}), step.object)
    for key in (VOLUME, VOLUME_MOUNT):
        for entry in _entries(told, key):
            if entry.get("name") == step.volume and entry not in (held := _entries(workload, key)):
                kept = [one for one in held if one.get("name") != step.volume]
                workload = _with(workload, key, [*kept, entry])
    return _ours(workload)


def unmounted(workload: Workload, volume: str) -> dict[str, str]:
    """Both annotations as they are once ``volume`` is gone from the workload as it is now."""
    return _ours(patched(workload, unmount_patch(workload, volume)))


def put_back(workload: Workload, then: Workload, volume: str) -> dict[str, str]:
    """Both annotations with ``volume`` as it was ``then``, and all else as it is now."""
    for key in (VOLUME, VOLUME_MOUNT):
        kept = [one for one in _entries(workload, key) if one.get("name") != volume]
        entries = [*kept, *(one for one in _entries(then, key) if one.get("name") == volume)]
        same = entries == _entries(then, key)
        text = then.annotations.get(key, "") if same else _written(entries) if entries else ""
        held = {name: held for name, held in workload.annotations.items() if name != key}
        workload = replace(workload, annotations=held | ({key: text} if text else {}))
    return _ours(workload)


def _with(workload: Workload, key: str, entries: list[dict[str, Any]]) -> Workload:
    return replace(workload, annotations={**workload.annotations, key: _written(entries)})


def _ours(workload: Workload) -> dict[str, str]:
    return {key: text for key, text in workload.annotations.items() if key in {VOLUME, VOLUME_MOUNT}}


def _entries(workload: Workload, key: str) -> list[dict[str, Any]]:
    text = workload.annotations.get(key, "[]")
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PlanRefused(f"{workload}: its annotation {key} is no JSON: {error}") from error
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise PlanRefused(f"{workload}: its annotation {key} is no list of mappings")
    return entries


def _written(entries: list[dict[str, Any]]) -> str:
    return json.dumps(entries, separators=(",", ":"), ensure_ascii=False)


def _patch(workload: Workload, annotations: Mapping[str, str | None]) -> dict[str, Any] | None:
    if not annotations:
        return None
    return {
        "apiVersion": "apps/v1",
        "kind": workload.kind,
        "metadata": {"name": workload.name, "namespace": workload.namespace},
        "spec": {"template": {"metadata": {"annotations": dict(annotations)}}},
    }
