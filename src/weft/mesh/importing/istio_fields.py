"""Istio's own fields of a wasm filter, as WasmPlugin and TrafficExtension spell them, into an intent's."""

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from weft.errors import UsageError

__all__ = ["Agent", "Place", "agent_fields", "place_fields"]

_FAILURES = {None: "closed", "FAIL_CLOSE": "closed", "FAIL_OPEN": "open", "FAIL_RELOAD": "reload"}
_CONTEXTS = {"SERVER": "inbound", "CLIENT": "outbound", "CLIENT_AND_SERVER": "any"}


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    pass


class _Variable(_Part, frozen=True, kw_only=True):
    name: str
    value_from: Literal["INLINE", "HOST"] = "INLINE"
    value: str = ""


class _Vm(_Part, frozen=True, kw_only=True):
    env: tuple[_Variable, ...] = ()


class Agent(_Part, frozen=True, kw_only=True):
    """What Istio's agent is told of a module."""

    url: str
    sha256: str = ""
    image_pull_policy: Literal["UNSPECIFIED_POLICY", "IfNotPresent", "Always"] | None = None
    image_pull_secret: str = ""
    verification_key: str = ""
    plugin_config: dict[str, Any] | None = None
    plugin_name: str = ""
    fail_strategy: Literal["FAIL_CLOSE", "FAIL_OPEN", "FAIL_RELOAD"] | None = None
    vm_config: _Vm | None = None
    type: Literal["UNSPECIFIED_PLUGIN_TYPE", "HTTP", "NETWORK"] | None = None


class _Selector(_Part, frozen=True, kw_only=True):
    match_labels: dict[str, str] = {}


class _TargetRef(_Part, frozen=True, kw_only=True):
    group: str = ""
    kind: str
    name: str
    namespace: str = ""


class _Port(_Part, frozen=True, kw_only=True):
    number: int


class _Match(_Part, frozen=True, kw_only=True):
    mode: Literal["UNDEFINED", "CLIENT", "SERVER", "CLIENT_AND_SERVER"] = "UNDEFINED"
    ports: tuple[_Port, ...] = ()


class Place(_Part, frozen=True, kw_only=True):
    """Which proxies, where in their chains, for which traffic."""

    selector: _Selector | None = None
    target_refs: tuple[_TargetRef, ...] = ()
    phase: Literal["UNSPECIFIED", "UNSPECIFIED_PHASE", "AUTHN", "AUTHZ", "STATS"] | None = None
    priority: int | None = None
    match: tuple[_Match, ...] = ()


def agent_fields(agent: Agent, *, where: str) -> tuple[dict[str, Any], list[str]]:
    """Fields of ``spec``, and notes; raises ``UsageError`` for a network filter."""
    if agent.type == "NETWORK":
        raise UsageError(f"{where}: type NETWORK: weft deploys HTTP filters only")
    variables = agent.vm_config.env if agent.vm_config else ()
    fields = {
        "image": _pinned(agent.url, agent.sha256),
        "pullSecret": agent.image_pull_secret,
        "config": agent.plugin_config,
        "rootId": agent.plugin_name,
        "failure": _FAILURES[agent.fail_strategy],
        "environment": {one.name: one.value for one in variables if one.value_from == "INLINE"},
        "hostEnvironment": [one.name for one in variables if one.value_from == "HOST"],
    }
    return fields, list(_notes(agent))


def place_fields(place: Place, *, where: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Fields of ``spec`` and of ``spec.target.istio``; raises ``UsageError`` for traffic of several kinds."""
    if place.selector is not None and place.target_refs:
        raise UsageError(f"{where}: only one of targetRefs or selector can be set")
    if any(one.namespace for one in place.target_refs):
        raise UsageError(f"{where}: spec.targetRefs: Istio does not refer to other namespaces")
    if len(place.match) > 1:
        raise UsageError(
            f"{where}: spec.match has {len(place.match)} entries; an intent has one context and its ports",
            hint="make an intent of each",
        )
    phase = place.phase if place.phase in {"AUTHN", "AUTHZ", "STATS"} else None
    labels = place.selector.match_labels if place.selector else {}
    refs = [{"group": one.group, "kind": one.kind, "name": one.name} for one in place.target_refs]
    fields = {
        "phase": phase,
        "priority": place.priority,
        "workloads": {"labels": labels} if labels else None,
        "targetRefs": refs,
    }
    match = place.match[0] if place.match else _Match(mode="CLIENT_AND_SERVER")
    mode = "CLIENT_AND_SERVER" if match.mode == "UNDEFINED" else match.mode
    context = "gateway" if mode == "CLIENT" and refs else _CONTEXTS[mode]
    ports = [port.number for port in match.ports]
    return fields, {"context": context, **({"ports": ports} if ports else {})}


def _pinned(url: str, sha256: str) -> str:
    return url if not sha256 or "@sha256:" in url else f"{url}@sha256:{sha256}"


def _notes(agent: Agent) -> Iterator[str]:
    if agent.image_pull_policy not in {None, "UNSPECIFIED_POLICY"}:
        yield f"imagePullPolicy {agent.image_pull_policy} is left out: weft pins the digest"
    if agent.verification_key:
        yield "verificationKey is left out: Istio never looks at it; name keys in spec.verify"
