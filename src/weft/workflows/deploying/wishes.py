"""An intent from the words of a command line, as wasme's users type them."""

from dataclasses import dataclass
from typing import Any

from weft.errors import UsageError
from weft.mesh import API_VERSION, KIND, ImageUrl, Intent, read_intent

__all__ = ["Wish", "intent_of"]

_KINDS = {"deployment": "Deployment", "daemonset": "DaemonSet", "statefulset": "StatefulSet"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the flags of a deployment say."""

    image: str
    id: str = ""
    namespace: str = "default"
    config: str | None = None
    root_id: str = ""
    labels: tuple[str, ...] = ()
    """``key=value``, several may be joined by commas."""
    workload_type: str = ""
    patch_context: str = ""
    failure: str = "closed"


def intent_of(wish: Wish) -> Intent:
    """The intent; its name is the id, or the image's. Raises ``UsageError`` naming what is wrong."""
    image = ImageUrl.parse(wish.image)
    name = wish.id or image.location.rpartition("/")[2].partition(":")[0].removesuffix(".wasm")
    workloads: dict[str, Any] = {"labels": dict(_pairs(wish.labels))}
    if wish.workload_type:
        workloads["kind"] = _KINDS[wish.workload_type]
    spec: dict[str, Any] = {"image": wish.image, "workloads": workloads, "failure": wish.failure}
    istio = {"context": wish.patch_context} if wish.patch_context else {}
    fields = {"rootId": wish.root_id, "config": wish.config, "target": {"istio": istio}}
    spec |= {key: value for key, value in fields.items() if value not in (None, "")}
    if wish.id:
        spec["id"] = wish.id
    metadata = {"name": name.lower().replace("_", "-"), "namespace": wish.namespace}
    document = {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": spec}
    return read_intent(document, where="the command line")


def _pairs(words: tuple[str, ...]) -> list[tuple[str, str]]:
    pairs = []
    for word in (part for words_ in words for part in words_.split(",") if part):
        key, equals, value = word.partition("=")
        if not (key and equals):
            raise UsageError(f"--labels {word}: it must read key=value")
        pairs.append((key, value))
    return pairs
