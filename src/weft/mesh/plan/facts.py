"""What is known of the world when a plan is made. Others find it out; a plan only reads it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from weft.image import Answer
from weft.mesh.intent.image_url import ImageUrl
from weft.wasm import describe, read_module

__all__ = ["Facts", "ModuleFacts", "Workload", "WorkloadRef"]

WorkloadRef = tuple[str, str]
"""Kind and name of a workload in the intent's namespace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleFacts:
    """A module's identity and what it asks of its host."""

    sha256: str
    size: int
    host_functions: tuple[str, ...] = ()
    """Names of the functions it imports."""
    callbacks: tuple[str, ...] = ()
    """Names of the functions that a proxy calls."""
    content: bytes | None = field(default=None, repr=False)

    @classmethod
    def of(cls, content: bytes) -> "ModuleFacts":
        """Read them off a module; raises ``ModuleInvalid``."""
        found = describe(read_module(content))
        functions = {name for names in found.host_functions.values() for name in names}
        return cls(
            sha256=hashlib.sha256(content).hexdigest(),
            size=len(content),
            host_functions=tuple(sorted(functions)),
            callbacks=tuple(sorted(found.callbacks)),
            content=content,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A Deployment, DaemonSet or StatefulSet, as far as plans are concerned with it."""

    kind: str
    name: str
    namespace: str = "default"
    labels: Mapping[str, str] = field(default_factory=dict)
    """Of the workload itself."""
    pod_labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    """Of the pod template."""

    @classmethod
    def of(cls, held: Mapping[str, Any]) -> "Workload":
        """Read one off its object, as the API or a file has it."""
        metadata = _mapping(held, "metadata")
        pods = _mapping(_mapping(_mapping(held, "spec"), "template"), "metadata")
        return cls(
            kind=str(held["kind"]),
            name=str(metadata.get("name", "")),
            namespace=str(metadata.get("namespace", "default")),
            labels=_texts(_mapping(metadata, "labels")),
            pod_labels=_texts(_mapping(pods, "labels")),
            annotations=_texts(_mapping(pods, "annotations")),
        )

    @property
    def ref(self) -> WorkloadRef:
        """Which one it is."""
        return (self.kind, self.name)

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The inputs of a plan beside the intent."""

    image: ImageUrl
    """As in the intent, with the digest it was resolved to; that of a manifest, never of an index."""
    module: ModuleFacts | None = None
    """``None``: nobody looked into the image yet."""
    consumers: tuple[Answer, ...] = ()
    """What those who pull the image say of it; empty: nobody looked."""
    root_ids: tuple[str, ...] = ()
    """What the image says its root ids are."""
    abi_versions: tuple[str, ...] = ()
    """wasme's names of the ABIs that the image claims; empty: no Istio is refused for them."""
    workloads: tuple[Workload, ...] | None = None
    """All of the intent's namespace; ``None``: nobody looked."""
    values: Mapping[tuple[str, str, str], str] = field(default_factory=dict)
    """``("Secret", name, key)`` or ``("ConfigMap", name, key)`` → text."""
    gateways: tuple[Mapping[str, Any], ...] | None = None
    """Gloo's Gateways; ``None``: nobody looked."""
    istio_version: str = ""
    """Of the control plane, where the intent does not say it."""
    control_plane: str = ""
    """Where an istiod was found, ``namespace`` or ``namespace/name``; empty: nobody looked."""
    shared_mounts: frozenset[WorkloadRef] = frozenset()
    """Workloads whose mount of the module folder other filters need too."""
    stale: str = ""
    """Why the image could not be looked at anew, where what is said of it here was known before."""
    module_path: str | None = None
    """Where the module is on this machine, for an Envoy here."""

    def refusal(self, consumer: str, versions: str = "") -> str:
        """What ``consumer`` says of the image, in the versions that start so; empty: it takes it."""
        for answer in self.consumers:
            if answer.consumer == consumer and answer.versions.startswith(versions):
                return " ".join(answer.error.split())
        return ""


def _mapping(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    held = value.get(key)
    return held if isinstance(held, dict) else {}


def _texts(value: Mapping[str, Any]) -> Mapping[str, str]:
    """All text; what is that already is not copied: there may be thousands."""
    if all(type(held) is str for held in value.values()):
        return value
    return {str(key): str(held) for key, held in value.items()}
