"""What became of one object of an installation."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from weft.installing import OURS
from weft.kube import Object, Ref

__all__ = ["Done", "Outcome", "Show", "is_ours"]

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
