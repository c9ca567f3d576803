"""What became of one object of an installation, and whose objects there are."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from weft.errors import UsageError
from weft.installing import OPERATOR, OURS
from weft.kube import Kube, Object, Ref

__all__ = ["Done", "Outcome", "Show", "check_home", "is_ours"]

Done = Literal["made", "changed", "unchanged", "deleted"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """An object, and what was done to it."""

    ref: Ref
    done: Done

    def document(self) -> dict[str, str]:
        """What ``-o json`` shows."""
        ref = self.ref
        named = {"apiVersion": ref.api_version, "kind": ref.kind, "namespace": ref.namespace}
        return {**named, "name": ref.name, "done": self.done}


Show = Callable[[Outcome], None]


def is_ours(held: Object) -> bool:
    """Whether ``held`` came with an installation of weft."""
    return OURS.items() <= (held["metadata"].get("labels") or {}).items()


async def check_home(kube: Kube, namespace: str) -> None:
    """Raise ``UsageError`` when weft is in another namespace: half of it belongs to no namespace."""
    held = await kube.find(Ref("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", OPERATOR))
    for subject in (held or {}).get("subjects") or ():
        home = subject.get("namespace")
        if home != namespace:
            raise UsageError(
                f"weft is in namespace {home} of this cluster, not in {namespace}", hint=f"-n {home}"
            )
