"""Filters go into a bootstrap that somebody else wrote, and nothing else changes."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as some

from weft.errors import UsageError
from weft.mesh import HttpListener, Plugin, http_listeners, patch_bootstrap, static_filter

GOLDEN = Path(__file__).parent / "golden"
TYPE = "type.googleapis.com/envoy.extensions.filters"
MANAGER = f"{TYPE}.network.http_connection_manager.v3.HttpConnectionManager"
MOBILE = f"{TYPE}.network.http_connection_manager.v3.EnvoyMobileHttpConnectionManager"
ROUTER = {"name": "envoy.filters.http.router", "typed_config": {"@type": f"{TYPE}.http.router.v3.Router"}}
ADDED = {"name": "added"}


def chain(*filters: Any, **more: Any) -> dict[str, Any]:
    manager = {"@type": MANAGER, "http_filters": list(filters)}
    return {"filters": [{"name": "hcm", "typed_config": manager}], **more}


def with_listener(**listener: Any) -> dict[str, Any]:
    return {"static_resources": {"listeners": [listener]}}


def names(bootstrap: Any) -> list[list[str]]:
    """The names in every list of HTTP filters, wherever it stands."""
    found = []
    if isinstance(bootstrap, dict):
        for key, value in bootstrap.items():
            if key in {"http_filters", "httpFilters"}:
                found.append([entry["name"] for entry in value])
            found += names(value)
    elif isinstance(bootstrap, list):
        for value in bootstrap:
            found += names(value)
    return found


def without_added(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_added(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_added(item) for item in value if item != ADDED]
    return value


def test_every_connection_manager_gets_the_filters_and_nothing_else_changes() -> None:
    bootstrap = yaml.safe_load((GOLDEN / "everything.in.yaml").read_text())
    before = copy.deepcopy(bootstrap)
    patched = patch_bootstrap(bootstrap, [ADDED])
    assert names(patched) == [
        ["envoy.filters.http.cors", "added", "a router by another name"],
        ["envoy.filters.http.cors", "added", "a router by another name"],
        ["added", "envoy.filters.http.router"],
    ]
    assert without_added(patched) == before
    assert bootstrap == before, "the caller's document is left alone"


def test_api_listeners_are_patched_too() -> None:
    manager = {"@type": MANAGER, "http_filters": [ROUTER]}
    mobile = {"@type": MOBILE, "config": {"http_filters": [ROUTER]}}
    for config in (manager, mobile):
        patched = patch_bootstrap(with_listener(api_listener={"api_listener": config}), [ADDED])
        assert names(patched) == [["added", "envoy.filters.http.router"]]


@pytest.mark.parametrize(
    "router",
    [
        pytest.param(ROUTER, id="usual"),
        pytest.param({**ROUTER, "name": "x"}, id="by type"),
        pytest.param({"name": "envoy.filters.http.router"}, id="by name"),
        pytest.param({"name": "envoy.router"}, id="by its old name"),
        pytest.param({"name": "x", "typedConfig": ROUTER["typed_config"]}, id="camelCase"),
        pytest.param(
            {
                "name": "x",
                "typed_config": {
                    "@type": "type.googleapis.com/udpa.type.v1.TypedStruct",
                    "typeUrl": f"{TYPE}.http.router.v3.Router",
                },
            },
            id="wrapped",
        ),
    ],
)
def test_the_router_is_recognised_however_it_is_named(router: dict[str, Any]) -> None:
    before, after = {"name": "before"}, {"name": "after"}
    patched = patch_bootstrap(
        with_listener(filter_chains=[chain(before, router, after)]), [ADDED, {"name": "2"}]
    )
    assert names(patched) == [["before", "added", "2", router["name"], "after"]]


def test_two_managers_never_share_what_was_inserted() -> None:
    patched = patch_bootstrap(with_listener(filter_chains=[chain(ROUTER), chain(ROUTER)]), [{"name": "a"}])
    first, second = patched["static_resources"]["listeners"][0]["filter_chains"]
    first["filters"][0]["typed_config"]["http_filters"][0]["name"] = "changed"
    assert second["filters"][0]["typed_config"]["http_filters"][0]["name"] == "a"


LISTENERS = "static_resources.listeners"


@pytest.mark.parametrize(
    ("bootstrap", "complaint"),
    [
        pytest.param(None, "the bootstrap must be a mapping, not nothing", id="empty"),
        pytest.param([], "the bootstrap must be a mapping, not a list", id="list"),
        pytest.param("x", "the bootstrap must be a mapping, not text", id="text"),
        pytest.param(
            {"static_resources": 3}, "static_resources must be a mapping, not a number", id="resources"
        ),
        pytest.param(
            {"staticResources": {"listeners": {}}},
            "staticResources.listeners must be a list, not a mapping",
            id="listeners",
        ),
        pytest.param(
            {"static_resources": {"listeners": [True]}},
            f"{LISTENERS}[0] must be a mapping, not a boolean",
            id="listener",
        ),
        pytest.param({1: 2}, "the bootstrap has the key 1; keys must be text", id="key"),
        pytest.param({}, f"the bootstrap has no HTTP connection manager in {LISTENERS}", id="no listeners"),
        pytest.param(
            with_listener(filter_chains=[{"filters": [{"name": "tcp"}]}]),
            f"the bootstrap has no HTTP connection manager in {LISTENERS}",
            id="no http",
        ),
        pytest.param(
            with_listener(filter_chains=[chain({"name": "lua"})]),
            f"{LISTENERS}[0].filter_chains[0].filters[0].typed_config has no router in http_filters",
            id="no router",
        ),
        pytest.param(
            with_listener(filter_chains=[chain(ADDED, ROUTER)]),
            f"{LISTENERS}[0].filter_chains[0].filters[0].typed_config already has a filter named 'added'",
            id="name taken",
        ),
    ],
)
def test_what_cannot_be_patched_is_refused_by_its_place(bootstrap: Any, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        patch_bootstrap(bootstrap, [ADDED])
    assert str(caught.value) == complaint


V2 = "the bootstrap is written for Envoy's API v2: "
SOCKET = "use `transport_socket` with `envoy.transport_sockets.tls`"
TYPED = 'use `typed_config` with the "@type" of the v3 API'


@pytest.mark.parametrize(
    ("bootstrap", "complaint"),
    [
        pytest.param(
            with_listener(filter_chains=[{"filters": [{"name": "x", "config": {}}]}]),
            f"{LISTENERS}[0].filter_chains[0].filters[0].config: {TYPED}",
            id="untyped network filter",
        ),
        pytest.param(
            with_listener(filter_chains=[chain({"name": "envoy.router", "config": {"a": 1}})]),
            f"{LISTENERS}[0].filter_chains[0].filters[0].typed_config.http_filters[0].config: {TYPED}",
            id="untyped http filter",
        ),
        pytest.param(
            with_listener(filterChains=[chain(ROUTER, tlsContext={"x": 1})]),
            f"{LISTENERS}[0].filterChains[0].tlsContext: {SOCKET}",
            id="downstream tls",
        ),
        pytest.param(
            {"static_resources": {"clusters": [{"name": "c", "tls_context": {"sni": "x"}}]}},
            f"static_resources.clusters[0].tls_context: {SOCKET}",
            id="upstream tls",
        ),
        pytest.param(
            {"static_resources": {"clusters": [{"name": "c", "hosts": [{}]}]}},
            "static_resources.clusters[0].hosts: use `load_assignment`",
            id="hosts",
        ),
        pytest.param(
            with_listener(
                filter_chains=[
                    {
                        "filters": [
                            {
                                "name": "x",
                                "typed_config": {
                                    "@type": "type.googleapis.com/envoy.config.filter.network."
                                    "http_connection_manager.v2.HttpConnectionManager"
                                },
                            }
                        ]
                    }
                ]
            ),
            f"{LISTENERS}[0].filter_chains[0].filters[0].typed_config: type.googleapis.com/"
            "envoy.config.filter.network.http_connection_manager.v2.HttpConnectionManager is of API v2",
            id="v2 type",
        ),
    ],
)
def test_api_v2_is_refused_with_its_replacement(bootstrap: Any, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        patch_bootstrap(bootstrap, [ADDED])
    assert str(caught.value) == V2 + complaint
    assert caught.value.hint == "Envoy dropped API v2 in 1.18; write these parts in v3"


def test_all_the_old_parts_are_listed() -> None:
    old = {"static_resources": {"clusters": [{"hosts": [1]}, {"tls_context": {"a": 1}, "hosts": [2]}]}}
    with pytest.raises(UsageError) as caught:
        patch_bootstrap(old, [ADDED])
    assert str(caught.value) == f"{V2}static_resources.clusters[0].hosts: use `load_assignment`"
    assert caught.value.detail == (
        f"static_resources.clusters[1].tls_context: {SOCKET}\n"
        "static_resources.clusters[1].hosts: use `load_assignment`"
    )


def test_a_document_that_contains_itself_is_refused() -> None:
    bootstrap: dict[str, Any] = {}
    bootstrap["static_resources"] = bootstrap
    with pytest.raises(UsageError) as caught:
        patch_bootstrap(bootstrap, [ADDED])
    assert str(caught.value) == "the bootstrap is too large, or contains itself"


def test_aliases_do_not_multiply_without_end() -> None:
    level: Any = ["x"] * 10
    for _ in range(8):
        level = [level] * 10
    with pytest.raises(UsageError) as caught:
        patch_bootstrap({"static_resources": {"listeners": level}}, [ADDED])
    assert str(caught.value) == "the bootstrap is too large, or contains itself"


def test_a_value_without_a_form_in_json_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        patch_bootstrap({"a": b"x"}, [ADDED])
    assert str(caught.value) == "the bootstrap holds b'x', which JSON has no form for"


ROUTERS = some.just(ROUTER) | some.just({**ROUTER, "name": []})
LEAVES = some.none() | some.booleans() | some.integers() | some.text(max_size=5)
KEYS = some.sampled_from(
    [
        *("static_resources", "listeners", "filter_chains", "filters", "typed_config", "@type", "value"),
        *("http_filters", "httpFilters", "name", "api_listener", "clusters", "hosts", "config"),
    ]
)
TYPES = some.sampled_from([MANAGER, MOBILE, "xds.type.v3.TypedStruct", ROUTER["typed_config"]["@type"]])  # type: ignore[index]
DOCUMENTS = some.recursive(
    LEAVES | TYPES | ROUTERS,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(KEYS, inner, max_size=4),
    max_leaves=30,
)


@given(DOCUMENTS)
def test_any_document_is_patched_or_refused_with_words(document: Any) -> None:
    try:
        patched = patch_bootstrap(document, [ADDED])
    except UsageError:
        return
    assert without_added(patched) == document


def test_http_listeners_are_counted_as_envoys_admin_counts_them() -> None:
    secure = chain(ROUTER, transport_socket={"name": "tls"})
    listeners = [
        {"api_listener": {"api_listener": {"@type": MANAGER, "http_filters": [ROUTER]}}},
        {"filter_chains": [{"filters": [{"name": "tcp"}]}]},
        {"filter_chains": [chain(ROUTER)]},
        {"default_filter_chain": secure},
    ]
    assert http_listeners({"static_resources": {"listeners": listeners}}) == [
        HttpListener(index=1, tls=False),
        HttpListener(index=2, tls=True),
    ]
    assert http_listeners({}) == []


def test_a_patched_bootstrap_is_plain_json() -> None:
    filters = [static_filter(Plugin(id="a", module="/a", config="x"))]
    patched = patch_bootstrap(with_listener(filter_chains=[chain(ROUTER)]), filters)
    assert json.loads(json.dumps(patched)) == patched
