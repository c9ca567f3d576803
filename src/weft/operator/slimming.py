"""What the operator keeps of objects: a thousand workloads must not cost a thousand whole objects."""

from weft.kube import Object

__all__ = ["slim", "slim_workload"]

_WORKLOAD_METADATA = ("name", "namespace", "labels", "generation", "resourceVersion", "uid")
_WORKLOAD_SPEC = ("replicas", "updateStrategy")


def slim(held: Object) -> Object:
    """All but who manages which field."""
    metadata = {key: value for key, value in held["metadata"].items() if key != "managedFields"}
    return {**held, "metadata": metadata}


def slim_workload(held: Object) -> Object:
    """What plans and rollouts read; of containers, name and image: istiod's says its version."""
    spec = held.get("spec") or {}
    template = spec.get("template") or {}
    pods = template.get("metadata") or {}
    containers = (template.get("spec") or {}).get("containers") or ()
    return {
        "apiVersion": held["apiVersion"],
        "kind": held["kind"],
        "metadata": {key: held["metadata"][key] for key in _WORKLOAD_METADATA if key in held["metadata"]},
        "spec": {
            **{key: spec[key] for key in _WORKLOAD_SPEC if key in spec},
            "template": {
                "metadata": {key: pods[key] for key in ("labels", "annotations") if key in pods},
                "spec": {"containers": [{"image": one.get("image", "")} for one in containers]},
            },
        },
        "status": held.get("status") or {},
    }
