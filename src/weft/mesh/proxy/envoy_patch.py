"""Put filters into a bootstrap that somebody else wrote, and change nothing else.

The rules:

* every HTTP connection manager of a static listener gets the filters: in each filter chain, the default
  chain and the API listener, plain or wrapped in a TypedStruct;
* they stand right before the router; the others keep their places;
* keys may be snake_case or camelCase, as Envoy itself reads both;
* what Envoy's API v3 does not know any more (``config``, ``tls_context``, ``hosts``) is refused with the
  place and the replacement, because Envoy's own words for it help nobody.

Listeners that come from a control plane are not here to be patched.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from weft.errors import UsageError
from weft.mesh.proxy.node import Node, as_tree

__all__ = ["HttpListener", "http_listeners", "move_listener", "patch_bootstrap"]

_MANAGER = "http_connection_manager.v3.HttpConnectionManager"
_MOBILE_MANAGER = "http_connection_manager.v3.EnvoyMobileHttpConnectionManager"
_ROUTER = "envoy.extensions.filters.http.router.v3.Router"
_ROUTER_NAMES = ("envoy.filters.http.router", "envoy.router")
_V2_TYPES = ("/envoy.api.v2.", "/envoy.config.filter.")

_LEGACY = {
    "config": 'use `typed_config` with the "@type" of the v3 API',
    "tls_context": "use `transport_socket` with `envoy.transport_sockets.tls`",
    "hosts": "use `load_assignment`",
}


@dataclass(frozen=True, slots=True)
class HttpListener:
    """A static listener that speaks HTTP: its place among those that open a port."""

    index: int
    tls: bool


def patch_bootstrap(bootstrap: Any, filters: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A copy of ``bootstrap`` with ``filters`` (entries of ``http_filters``) before every router.

    Raises ``UsageError``: not a v3 bootstrap, no HTTP connection manager, one without a router, or a filter's
    name that is taken.
    """
    document: dict[str, Any] = as_tree(bootstrap)
    root = Node(document, "")
    _refuse_legacy(root)
    managers = list(_managers(root))
    if not managers:
        raise UsageError(
            "the bootstrap has no HTTP connection manager in static_resources.listeners",
            hint="filters go into its http_filters; listeners from a control plane (LDS) cannot be patched",
        )
    for manager in managers:
        _insert(manager, filters)
    return document


def move_listener(bootstrap: Mapping[str, Any], port: int) -> dict[str, Any]:
    """A copy of ``bootstrap`` whose first HTTP listener listens on ``port``, at the address it has.

    Raises ``UsageError`` when that listener is not on a TCP port.
    """
    document: dict[str, Any] = as_tree(bootstrap)
    listener = next((one for one in _listeners(document) if any(True for _ in _of_listener(one))), None)
    address = listener and listener.child("address")
    socket = address and address.child("socket_address")
    if socket is None:
        raise UsageError("the bootstrap's first HTTP listener has no port that --port could change")
    socket.set("port_value", port)
    return document


def http_listeners(bootstrap: Any) -> list[HttpListener]:
    """The static listeners with an HTTP connection manager, as Envoy's admin counts listeners."""
    return [
        HttpListener(index, tls=any(chain.get("transport_socket") for chain in _chains(listener)))
        for index, listener in enumerate(_listeners(bootstrap))
        if any(True for _ in _of_listener(listener))
    ]


def _listeners(bootstrap: Any) -> list[Node]:
    """The static listeners that open a port."""
    static = Node(bootstrap, "").child("static_resources")
    listeners = [] if static is None else static.children("listeners")
    return [listener for listener in listeners if listener.get("api_listener") is None]


def _insert(manager: Node, filters: Sequence[Mapping[str, Any]]) -> None:
    present = manager.children("http_filters")
    held = [entry.get("name") for entry in present]
    if name := next((entry["name"] for entry in filters if entry["name"] in held), None):
        raise UsageError(
            f"{manager.where} already has a filter named {name!r}", hint="choose another name with --id"
        )
    places = [place for place, entry in enumerate(present) if _is_router(entry)]
    if not places:
        raise UsageError(
            f"{manager.where} has no router in http_filters",
            hint="add {name: envoy.filters.http.router} with its typed_config as the last filter",
        )
    entries = manager.get("http_filters")
    entries[places[0] : places[0]] = copy.deepcopy(list(filters))


def _is_router(entry: Node) -> bool:
    config = entry.child("typed_config")
    return entry.get("name") in _ROUTER_NAMES or (config is not None and config.type_url.endswith(_ROUTER))


def _managers(root: Node) -> Iterator[Node]:
    static = root.child("static_resources")
    for listener in [] if static is None else static.children("listeners"):
        yield from _of_listener(listener)


def _of_listener(listener: Node) -> Iterator[Node]:
    for chain in _chains(listener):
        for entry in chain.children("filters"):
            yield from _as_manager(entry.child("typed_config"))
    if outer := listener.child("api_listener"):
        yield from _as_manager(outer.child("api_listener"))


def _chains(listener: Node) -> Iterator[Node]:
    yield from listener.children("filter_chains")
    if default := listener.child("default_filter_chain"):
        yield default


def _as_manager(config: Node | None) -> Iterator[Node]:
    if config is None:
        return
    body = config.child("value") if config.is_typed_struct else config
    if body is not None and config.type_url.endswith(_MOBILE_MANAGER):
        body = body.child("config")
    elif not config.type_url.endswith(_MANAGER):
        return
    if body is not None:
        yield body


def _refuse_legacy(root: Node) -> None:
    found = list(_legacy(root))
    if found:
        raise UsageError(
            f"the bootstrap is written for Envoy's API v2: {found[0]}",
            detail="\n".join(found[1:]) or None,
            hint="Envoy dropped API v2 in 1.18; write these parts in v3",
        )


def _legacy(root: Node) -> Iterator[str]:
    static = root.child("static_resources")
    if static is None:
        return
    for listener in static.children("listeners"):
        for chain in _chains(listener):
            yield from _old_keys(chain, "tls_context")
            for entry in chain.children("filters"):
                yield from _old_keys(entry, "config")
                yield from _old_type(entry)
        for manager in _of_listener(listener):
            for entry in manager.children("http_filters"):
                yield from _old_keys(entry, "config")
                yield from _old_type(entry)
    for cluster in static.children("clusters"):
        yield from _old_keys(cluster, "tls_context", "hosts")


def _old_keys(node: Node, *keys: str) -> Iterator[str]:
    for key in keys:
        if node.get(key) is not None:
            yield f"{node.where}.{node.spelling(key)}: {_LEGACY[key]}"


def _old_type(entry: Node) -> Iterator[str]:
    config = entry.child("typed_config")
    if config is not None and any(mark in config.type_url for mark in _V2_TYPES):
        yield f"{config.where}: {config.type_url} is of API v2"
