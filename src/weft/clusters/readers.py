"""Whether somebody reads what a filter brought, as far as the cluster tells.

Istio's istiod is a Deployment, which is there or not. Gloo and Envoy Gateway write into the status of what
they read: Envoy Gateway 1.9 conditions by ancestor (``PolicyStatus`` of the Gateway API), Gloo 1.20 a state
by its own namespace (``status.statuses``; older ones ``status.state``, also as a number).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from weft.clusters.looking import control_planes
from weft.clusters.records import Record
from weft.errors import UsageError, WeftError
from weft.kube import Kube, Object, Ref

__all__ = ["Refused", "Unread", "check_control_plane", "check_read", "check_readers"]

# Kinds whose readers say of each object whether they took it.
_SAYING = frozenset({"Gateway", "EnvoyExtensionPolicy"})
_GLOO_STATES = ("Pending", "Accepted", "Rejected", "Warning")


class Unread(WeftError):
    """Nobody has read it; the text says who should."""


class Refused(WeftError):
    """Who read it does not take it; the text says why."""


async def check_control_plane(kube: Kube, where: str) -> None:
    """Raises ``Unread`` when no istiod is there any more, ``Denied`` where we may not look."""
    namespace, _, name = where.partition("/")
    try:
        found = await control_planes(kube, namespace, name)
    except UsageError:
        found = ()
    if not found:
        raise Unread("it is not there: nobody reads what is deployed")


async def check_readers(kube: Kube, record: Record) -> None:
    """Raises ``Unread`` or ``Refused`` when not all of a filter is read by whom it is for."""
    for step in record.removal:
        if step.object is not None and Ref.of(step.object).kind in _SAYING:
            held = await kube.find(Ref.of(step.object))
            if held is not None:
                check_read(held)


def check_read(held: Object) -> None:
    """Raises ``Unread`` or ``Refused`` for an object whose reader says of each whether it took it."""
    match (held["apiVersion"].partition("/")[0], held["kind"]):
        case ("gateway.solo.io", "Gateway"):
            _check_gloo(held)
        case ("gateway.envoyproxy.io", "EnvoyExtensionPolicy"):
            _check_envoy_gateway(held)


def _check_envoy_gateway(held: Object) -> None:
    generation = held["metadata"].get("generation") or 0
    said = [
        one
        for ancestor in _mappings(_status(held).get("ancestors"))
        for one in _mappings(ancestor.get("conditions"))
        if one.get("type") == "Accepted" and (one.get("observedGeneration") or 0) >= generation
    ]
    for one in said:
        if one.get("status") != "True":
            raise Refused(f"Envoy Gateway does not take it: {one.get('message') or one.get('reason')}")
    if not said:
        raise Unread("Envoy Gateway has said nothing of it: is it there, and what the policy is for its own?")


def _check_gloo(held: Object) -> None:
    status = _status(held)
    by_namespace = status.get("statuses")
    of_each = list(by_namespace.values()) if isinstance(by_namespace, dict) else [status]
    states = [(_gloo_state(one.get("state")), one.get("reason")) for one in _mappings(of_each)]
    for state, reason in states:
        if state == "Rejected":
            raise Refused(f"Gloo does not take it: {reason or 'it does not say why'}")
    if not any(state in {"Accepted", "Warning"} for state, _ in states):
        raise Unread("Gloo has said nothing of it: is it there?")


def _gloo_state(state: Any) -> str:
    return _GLOO_STATES[state] if isinstance(state, int) and state < len(_GLOO_STATES) else str(state)


def _status(held: Object) -> Mapping[str, Any]:
    status = held.get("status")
    return status if isinstance(status, dict) else {}


def _mappings(values: Any) -> Iterator[Mapping[str, Any]]:
    held: Iterable[Any] = values if isinstance(values, list) else ()
    return (one for one in held if isinstance(one, dict))
