"""An intent from the words of a command line, as wasme's users type them."""

import re
from dataclasses import dataclass
from typing import Any

from weft.errors import UsageError
from weft.mesh import API_VERSION, KIND, ImageUrl, Intent, read_intent

__all__ = ["Wish", "intent_of"]

_NAME = r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?"
_KINDS = {"deployment": "Deployment", "daemonset": "DaemonSet", "statefulset": "StatefulSet"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the flags of a deployment say."""

    image: str
    target: str = "istio"
    id: str = ""
    namespace: str = "default"
    """Of the filter, and of all it is for but Gloo's gateways."""
    config: str | None = None
    root_id: str = ""
    labels: tuple[str, ...] = ()
    """``key=value``, several may be joined by commas; of workloads, for Gloo of gateways."""
    namespaces: tuple[str, ...] = ()
    """Of Gloo's gateways."""
    gateways: tuple[str, ...] = ()
    """``name`` or ``name/section``, as routes are."""
    routes: tuple[str, ...] = ()
    workload_type: str = ""
    patch_context: str = ""
    failure: str = "closed"


def intent_of(wish: Wish) -> Intent:
    """The intent; its name is the id, or the image's. Raises ``UsageError`` naming what is wrong."""
    image = ImageUrl.parse(wish.image)
    name = wish.id or image.location.rpartition("/")[2].partition(":")[0].removesuffix(".wasm")
    fields = {"id": wish.id, "rootId": wish.root_id, "config": wish.config}
    spec = {
        "image": wish.image,
        "failure": wish.failure,
        **{key: value for key, value in fields.items() if value not in (None, "")},
        **_place(wish),
    }
    namespace = _words(wish.namespaces)[0] if len(_words(wish.namespaces)) == 1 else wish.namespace
    metadata = {"name": name.lower().replace("_", "-"), "namespace": namespace}
    _check_names(wish, metadata)
    document = {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": spec}
    return read_intent(document, where="the command line")


def _check_names(wish: Wish, metadata: dict[str, str]) -> None:
    for option, word, name in (
        ("--id", wish.id or metadata["name"], metadata["name"]),
        ("--namespace", metadata["namespace"], metadata["namespace"]),
    ):
        if not re.fullmatch(_NAME, name):
            raise UsageError(
                f"{option} {word!r} is not a name", hint="letters, digits, - and . between letters and digits"
            )


def _place(wish: Wish) -> dict[str, Any]:
    """The fields that say where."""
    group = "gateway.solo.io" if wish.target == "gloo" else "gateway.networking.k8s.io"
    refs = [_ref(group, "Gateway", one) for one in wish.gateways]
    refs += [_ref(group, "HTTPRoute", one) for one in wish.routes]
    told: dict[str, Any] = {"targetRefs": refs} if refs else {}
    labels = dict(_pairs(wish.labels))
    workloads: dict[str, Any] = {"labels": labels} if labels else {}
    if wish.workload_type:
        workloads["kind"] = _KINDS[wish.workload_type.lower()]
    if wish.target == "gloo":
        gloo = {"labels": workloads.pop("labels", {}), "namespaces": _words(wish.namespaces)}
        told["target"] = {"gloo": gloo}
    elif wish.target == "istio":
        istio = {"context": wish.patch_context.lower()} if wish.patch_context else {}
        told["target"] = {"istio": istio}
        workloads = workloads or ({} if refs else {"labels": {}})
    return told | ({"workloads": workloads} if workloads else {})


def _ref(group: str, kind: str, word: str) -> dict[str, str]:
    name, slash, section = word.partition("/")
    return {"group": group, "kind": kind, "name": name} | ({"sectionName": section} if slash else {})


def _words(words: tuple[str, ...]) -> list[str]:
    return [part for word in words for part in word.split(",") if part]


def _pairs(words: tuple[str, ...]) -> list[tuple[str, str]]:
    pairs = []
    for word in _words(words):
        key, equals, value = word.partition("=")
        if not (key and equals):
            raise UsageError(f"--labels {word}: it must read key=value")
        pairs.append((key, value))
    return pairs
