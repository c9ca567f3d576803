"""Objects of a cluster as plain data, and what names them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

__all__ = ["Listing", "Object", "Ref", "Resource"]

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ref:
    """Which object: ``Ref("apps/v1", "Deployment", "details", "bookinfo")``."""

    api_version: str
    kind: str
    name: str
    namespace: str = ""
    """Empty for what belongs to the whole cluster."""

    @classmethod
    def of(cls, held: Object) -> "Ref":
        """What names ``held``."""
        metadata = held.get("metadata") or {}
        return cls(
            str(held.get("apiVersion", "")),
            str(held.get("kind", "")),
            str(metadata.get("name", "")),
            str(metadata.get("namespace", "")),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Resource:
    """Where the API keeps the objects of a kind."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The path of one object, or of a collection."""
        root = "/api" if "/" not in self.api_version else "/apis"
        inside = ["namespaces", namespace] if namespace and self.namespaced else []
        words = [*inside, self.plural, name, subresource]
        return "/".join([root, self.api_version, *(quote(word, safe="") for word in words if word)])


@dataclass(frozen=True, slots=True)
class Listing:
    """All objects of a kind at one moment."""

    items: tuple[Object, ...]
    version: str
    """The collection's ``resourceVersion``: where a watch goes on."""
