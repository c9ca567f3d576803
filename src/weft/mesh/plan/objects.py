"""Kubernetes objects of ours: their names and what marks them."""

import re
from collections.abc import Mapping
from typing import Any

from weft.mesh.intent.intent import Intent
from weft.mesh.plan.plan import Do, PlanRefused, Step, object_ref

__all__ = ["apply_and_delete", "labelled", "new_object", "object_name"]

_MAX_NAME = 253


def object_name(*parts: str) -> str:
    """A name that Kubernetes takes, of ``parts``; raises ``PlanRefused`` when it would be too long."""
    name = re.sub(r"[^a-z0-9.-]", "-", "-".join(parts).lower()).strip("-.")
    if len(name) > _MAX_NAME:
        raise PlanRefused(f"{name!r} is longer than the {_MAX_NAME} characters of an object's name")
    return name


def new_object(api_version: str, kind: str, name: str, intent: Intent, **fields: Any) -> dict[str, Any]:
    """An object in the intent's namespace."""
    metadata = {"name": name, "namespace": intent.metadata.namespace}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def labelled(held: Mapping[str, Any], intent: Intent, image: str) -> dict[str, Any]:
    """``held`` with the marks by which weft and people find it again."""
    metadata = dict(held["metadata"])
    labels = {"app.kubernetes.io/managed-by": "weft"}
    if intent.spec.target.istio is not None and intent.spec.target.istio.revision:
        labels["istio.io/rev"] = intent.spec.target.istio.revision
    metadata["labels"] = labels
    metadata["annotations"] = {"weft.dev/filter": intent.filter_id, "weft.dev/image": image}
    return {**held, "metadata": metadata}


def apply_and_delete(held: Mapping[str, Any], *, why: str, gone: str) -> tuple[Step, Step]:
    """The step that makes an object so, and the step that takes it away."""
    return (
        Step(do=Do.APPLY, object=held, why=why),
        Step(do=Do.DELETE, object=object_ref(held), why=gone),
    )
