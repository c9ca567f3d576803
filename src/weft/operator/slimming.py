"""What the operator keeps of objects: a thousand workloads must not cost a thousand whole objects."""

from weft.kube import Object

__all__ = ["slim", "slim_workload"]

_WORKLOAD_METADATA = ("name", "namespace", "labels", "generation", "resourceVersion")
_WORKLOAD_SPEC = ("replicas", "updateStrategy")
_PROGRESS = "Progressing"


def slim(held: Object) -> Object:
    """All but who manages which field."""
    metadata = {key: value for key, value in held["metadata"].items() if key != "managedFields"}
    return {**held, "metadata": metadata}


def slim_workload(held: Object) -> Object:
    """What plans and rollouts read; of containers, name and image: istiod's says its version."""
    spec, metadata = held.get("spec") or {}, held["metadata"]
    template = spec.get("template") or {}
    pods = dict(template.get("metadata") or {})
    if "labels" in pods and pods["labels"] == metadata.get("labels"):  # as most have it
        pods["labels"] = metadata["labels"]
    containers = (template.get("spec") or {}).get("containers") or ()
    return {
        "apiVersion": held["apiVersion"],
        "kind": held["kind"],
        "metadata": {key: metadata[key] for key in _WORKLOAD_METADATA if key in metadata},
        "spec": {
            **{key: spec[key] for key in _WORKLOAD_SPEC if key in spec},
            "template": {
                "metadata": {key: pods[key] for key in ("labels", "annotations") if key in pods},
                "spec": {"containers": [{"image": one.get("image", "")} for one in containers]},
            },
        },
        "status": _slim_status(held.get("status") or {}),
    }


def _slim_status(status: Object) -> Object:
    """Of conditions, that which says whether a rollout goes on."""
    conditions = [one for one in status.get("conditions") or () if one.get("type") == _PROGRESS]
    kept = {key: value for key, value in status.items() if key != "conditions"}
    return {**kept, "conditions": conditions} if conditions else kept
