"""What a user wants of one filter, as a value: the kind ``FilterDeployment`` of ``weft.dev/v1alpha1``.

The fields here are the one source of the reader (``weft.mesh.intent.reading``), of the JSON Schema
(``weft.mesh.intent.schema``) and of what targets may ask. Unknown fields are refused everywhere but in
``metadata`` and ``status``, which are Kubernetes'. Nothing is resolved here: see ``weft.mesh.plan.facts``.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from weft.mesh.intent.plugin import Failure

__all__ = [
    "API_VERSION",
    "KIND",
    "ConfigSource",
    "EnvoyGatewayTarget",
    "EnvoyTarget",
    "GlooTarget",
    "Intent",
    "IstioTarget",
    "KeyRef",
    "Match",
    "Metadata",
    "Name",
    "PathMatch",
    "Registry",
    "Rollout",
    "RolloutStep",
    "Route",
    "Spec",
    "Target",
    "TargetRef",
    "Text",
    "Verify",
    "VerifyKey",
    "Volume",
    "Workloads",
    "XdsTarget",
]

API_VERSION: Literal["weft.dev/v1alpha1"] = "weft.dev/v1alpha1"
KIND: Literal["FilterDeployment"] = "FilterDeployment"

# RFC 1123, as Kubernetes checks names of objects and namespaces.
Name = Annotated[str, Meta(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)]
Label = Annotated[str, Meta(pattern=r"^[^*]*$", max_length=63)]
Port = Annotated[int, Meta(ge=1, le=65535)]
Int32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
Filled = Annotated[str, Meta(min_length=1)]
Duration = Annotated[str, Meta(pattern=r"^[0-9]+(ms|s|m|h)$", description="for example 30s, 5m or 1h")]
FilterId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=253)]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """A mapping whose misspelt fields are refused."""


class _Loose(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A mapping that others may add to."""


class KeyRef(_Part, frozen=True, kw_only=True):
    """A key of a Secret or ConfigMap in the intent's namespace."""

    name: Name
    key: str = ""


class ConfigSource(_Part, frozen=True, kw_only=True):
    """One value that is put into the config before the filter gets it."""

    secret_key_ref: KeyRef | None = None
    config_map_key_ref: KeyRef | None = None
    path: Annotated[str, Meta(min_length=1, description="where it goes: keys of the config, joined by dots")]


class VerifyKey(_Part, frozen=True, kw_only=True):
    """A public key that may have signed the image."""

    secret_ref: KeyRef | None = None
    """Key ``cosign.pub`` where none is named."""
    pem: str = ""


class Verify(_Part, frozen=True, kw_only=True):
    """Which signatures the image must have; any one key is enough."""

    keys: Annotated[tuple[VerifyKey, ...], Meta(min_length=1)]


class Registry(_Part, frozen=True, kw_only=True):
    """How the registry is reached where the usual way does not do."""

    plain_http: bool = False
    insecure_skip_verify: bool = False


class Workloads(_Part, frozen=True, kw_only=True):
    """Which pods: those of the workloads of this kind (all kinds, where none is named) with all labels."""

    kind: Literal["Deployment", "DaemonSet", "StatefulSet"] | None = None
    labels: dict[str, Label] = {}


class TargetRef(_Part, frozen=True, kw_only=True):
    """A gateway, route or service of the Gateway API in the intent's namespace."""

    group: str = "gateway.networking.k8s.io"
    kind: Filled = "Gateway"
    name: Filled
    section_name: str = ""


class Volume(_Part, frozen=True, kw_only=True):
    """Where the node cache keeps modules, and the name under which pods mount that folder."""

    name: Name = "cache-dir"
    path: Annotated[str, Meta(pattern=r"^/[^\0]*[^/\0]$")] = "/var/local/lib/wasme-cache"


class IstioTarget(_Part, frozen=True, kw_only=True):
    """Sidecars and gateways of Istio."""

    mode: Literal["auto", "wasmplugin", "trafficextension", "envoyfilter", "configmap"] = "auto"
    context: Literal["inbound", "outbound", "any", "gateway"] | None = None
    """Inbound for workloads, gateway for target references, where nothing is said."""
    ports: tuple[Port, ...] = ()
    """Only traffic to these ports; all, where there are none."""
    revision: str = ""
    version: Annotated[str, Meta(pattern=r"^([0-9]+\.[0-9]+(\..*)?)?$")] = ""
    """Of the control plane, as 1.24; discovered when deployed, where nothing is said."""
    namespace: Name = "istio-system"
    """Where the control plane is."""
    external: bool = False
    """The control plane is in another cluster: nobody looks for it in this one."""
    volume: Volume = Volume()


class GlooTarget(_Part, frozen=True, kw_only=True):
    """Gateways of Gloo Edge: those with all ``labels`` in ``namespaces``, or named by ``targetRefs``."""

    namespaces: tuple[Name, ...] = ()
    labels: dict[str, Label] = {}


class EnvoyGatewayTarget(_Part, frozen=True, kw_only=True):
    """Gateways and routes of Envoy Gateway, named by ``targetRefs``."""


class EnvoyTarget(_Part, frozen=True, kw_only=True):
    """An Envoy on this machine."""


class XdsTarget(_Part, frozen=True, kw_only=True):
    """Plain Envoys that ask weft's extension config discovery service."""

    directory: Annotated[str, Meta(pattern=r"^/")] = "/var/local/lib/wasme-cache"
    """Where the node's agent keeps modules."""


class Target(_Part, frozen=True, kw_only=True):
    """The kind of place; exactly one."""

    istio: IstioTarget | None = None
    gloo: GlooTarget | None = None
    envoy_gateway: EnvoyGatewayTarget | None = None
    envoy: EnvoyTarget | None = None
    xds: XdsTarget | None = None


class PathMatch(_Part, frozen=True, kw_only=True):
    """Of the path without its query; exactly one. ``prefix`` is of the text: ``/v1`` takes ``/v10`` too."""

    prefix: Filled | None = None
    exact: Filled | None = None
    regex: Filled | None = None
    """RE2, of the whole path."""


class Text(_Part, frozen=True, kw_only=True):
    """How a header's value may look; exactly one."""

    exact: str | None = None
    prefix: Filled | None = None
    regex: Filled | None = None
    """RE2, of the whole value."""


class Match(_Part, frozen=True, kw_only=True):
    """All that is named must hold."""

    host: Annotated[str, Meta(pattern=r"^(\*\.)?[A-Za-z0-9]([-A-Za-z0-9._]*[A-Za-z0-9])?$")] | None = None
    """A host without port; ``*.example.com`` takes all below it."""
    path: PathMatch | None = None
    headers: dict[Filled, str | Text] = {}


class Route(_Part, frozen=True, kw_only=True):
    """What requests that match get instead of ``spec.config``; the first route that matches decides."""

    match: Match
    config: dict[str, Any] | str | None = None
    disabled: bool = False


class RolloutStep(_Part, frozen=True, kw_only=True):
    """So many percent of the workloads, rounded up, for so long."""

    percent: Annotated[int, Meta(ge=1, le=100)]
    hold: Duration | None = None


class Rollout(_Part, frozen=True, kw_only=True):
    """How a new version reaches the workloads."""

    steps: tuple[RolloutStep, ...] = ()


class Spec(_Part, frozen=True, kw_only=True):
    """Which image, which config, on which workloads and routes, where in the chain, what on failure."""

    image: Filled
    """``registry/repository:tag``, ``oci://…``, ``https://…`` or ``file:///…``; ``@sha256:…`` pins it."""
    id: FilterId | None = None
    """Names the filter in chains, logs and statistics; ``<name>.<namespace>`` where nothing is said."""
    pull_secret: str = ""
    registry: Registry = Registry()
    verify: Verify | None = None
    root_id: Annotated[str, Meta(max_length=256)] = ""
    config: dict[str, Any] | str | None = None
    config_from: tuple[ConfigSource, ...] = ()
    environment: dict[Filled, str] = {}
    host_environment: tuple[Filled, ...] = ()
    """Variables of the proxy's own environment that the filter may read."""
    workloads: Workloads | None = None
    """All pods of the namespace, where neither these nor ``targetRefs`` are named."""
    target_refs: Annotated[tuple[TargetRef, ...], Meta(max_length=16)] = ()
    target: Target = Target(istio=IstioTarget())
    phase: Literal["AUTHN", "AUTHZ", "STATS"] | None = None
    priority: Int32 | None = None
    """Higher runs earlier among the filters of a phase."""
    routes: tuple[Route, ...] = ()
    vm: Literal["separate", "shared"] = "separate"
    """Whether the configs of ``routes`` share one VM; only for modules that keep nothing in globals."""
    failure: Failure = Failure.CLOSED
    capabilities: Literal["all", "auto"] | tuple[Filled, ...] = "all"
    """Host functions the module may call; ``auto`` is exactly those it imports."""
    rollout: Rollout | None = None


class Metadata(_Loose, frozen=True, kw_only=True):
    """What Kubernetes keeps of an object, as far as it is read here."""

    name: Name
    namespace: Name = "default"
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    uid: str = ""


class Intent(_Part, frozen=True, kw_only=True):
    """A ``FilterDeployment``; make it with ``read_intent``, which checks more than the types do."""

    api_version: Literal["weft.dev/v1alpha1"] = API_VERSION
    kind: Literal["FilterDeployment"] = KIND
    metadata: Metadata
    spec: Spec
    status: Any = None

    @property
    def filter_id(self) -> str:
        """What the filter is called in a proxy."""
        return self.spec.id or f"{self.metadata.name}.{self.metadata.namespace}"

    def document(self) -> dict[str, Any]:
        """The intent as plain data, without what is as it would be anyway."""
        plain = msgspec.to_builtins(self)
        lean = {key: _lean(plain[key], getattr(self, key)) for key in ("metadata", "spec")}
        return {"apiVersion": self.api_version, "kind": self.kind, **lean}


def _lean(plain: Any, value: Any) -> Any:
    """``plain`` without fields that hold their default."""
    if isinstance(value, tuple):
        return [_lean(*pair) for pair in zip(plain, value, strict=True)]
    if isinstance(value, dict):
        return {key: _lean(plain[key], value[key]) for key in value}
    if not isinstance(value, msgspec.Struct):
        return plain
    return {
        field.encode_name: _lean(plain[field.encode_name], held)
        for field in msgspec.structs.fields(value)
        if (held := getattr(value, field.name)) != _default(field)
    }


def _default(field: msgspec.structs.FieldInfo) -> Any:
    made = field.default_factory
    return field.default if made is msgspec.NODEFAULT else made()
