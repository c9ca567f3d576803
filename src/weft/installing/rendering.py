"""An installation as files that other tools apply: plain YAML, a kustomize folder."""

from collections.abc import Iterable

from weft.base.documents import as_yaml
from weft.installing.installation import Installation, Object
from weft.installing.whole import groups, objects

__all__ = ["Files", "kustomization", "manifest", "stream"]

Files = dict[str, str]
"""Paths inside a folder, and what stands there."""


def stream(held: Iterable[Object]) -> str:
    """Objects as documents of one YAML text."""
    return "---\n".join(as_yaml(one) for one in held)


def manifest(installation: Installation) -> Files:
    """One file with everything, for ``kubectl apply -f``."""
    return {"weft.yaml": stream(objects(installation))}


def kustomization(installation: Installation) -> Files:
    """A base for ``kubectl apply -k``, to be changed by overlays; a file for each group."""
    files = {f"{group.name}.yaml": stream(group.objects) for group in groups(installation)}
    index = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": list(files),
        "sortOptions": {"order": "fifo"},
    }
    return {"kustomization.yaml": as_yaml(index), **files}
