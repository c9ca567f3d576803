"""What the Envoy of a stage is told; that Envoy takes it is for the real tests to say."""

from collections.abc import Iterator
from typing import Any

from weft.stage.documents import (
    NETWORK,
    PLACES,
    PORT,
    bootstrap,
    clusters_document,
    filter_document,
    kept_document,
    no_filter_document,
)

FILES = {place: f"/{place}.json" for place in (*PLACES, NETWORK)}
MADE = bootstrap(upstream=4711, tcp_upstream=4712, played=FILES, kept="/k.json", clusters="/c.json")


def found(document: object, key: str) -> Iterator[Any]:
    """Every value under a key, however deep."""
    if isinstance(document, dict):
        if key in document:
            yield document[key]
        for value in document.values():
            yield from found(value, key)
    elif isinstance(document, list):
        for value in document:
            yield from found(value, key)


def test_everything_listens_on_this_machine_alone_and_chooses_its_port() -> None:
    addresses = list(found(MADE, "socket_address"))
    assert {address["address"] for address in addresses} == {"127.0.0.1"}
    assert sorted(address["port_value"] for address in addresses) == [0, 0, 0, 0, 0, 4711, 4712]


def test_the_listeners_play_mark_keep_and_relay() -> None:
    listeners = MADE["static_resources"]["listeners"]
    names = {
        listener["name"]: [one["name"] for filters in found(listener, "http_filters") for one in filters]
        for listener in listeners
    }
    assert names == {
        "play": ["tidy", *PLACES, "restore", "router"],
        "mark": ["mark", "router"],
        "keep": ["kept", "router"],
        "relay": [],
    }
    (chain,) = listeners[-1]["filter_chains"]
    assert [one["name"] for one in chain["filters"]] == [NETWORK, "proxy"]


def test_a_filter_is_played_between_its_neighbors() -> None:
    assert len(PLACES) == 9
    assert PLACES[3:6] == ("before-4", "played", "after-1")


def test_what_changes_is_read_from_files() -> None:
    sources = [source["path"] for source in found(MADE, "path_config_source")]
    assert sorted(sources) == sorted(["/c.json", "/k.json", *FILES.values()])
    assert set(found(MADE, "initial_fetch_timeout")) == {"5s"}


def test_no_piece_of_a_body_ever_waits() -> None:
    windows = [options["initial_connection_window_size"] for options in found(MADE, "http2_protocol_options")]
    assert windows == [(1 << 31) - 1] * 4
    assert set(found(MADE, "stream_idle_timeout")) == {"0s"}


def test_the_upstream_is_told_which_connection_a_request_came_by() -> None:
    (added,) = found(MADE, "request_headers_to_add")
    assert [one["header"] for one in added] == [{"key": PORT, "value": "%DOWNSTREAM_REMOTE_PORT%"}]


def test_servers_are_clusters_in_the_order_of_their_names() -> None:
    document = clusters_document({"b": 2, "a": 1})
    assert [cluster["name"] for cluster in document["resources"]] == ["a", "b"]
    assert [address["port_value"] for address in found(document, "socket_address")] == [1, 2]


def test_a_version_says_what_is_in_a_document() -> None:
    def version(**ports: int) -> str:
        return str(clusters_document(ports)["version_info"])

    assert version(a=1, b=2) == version(b=2, a=1) != version(a=1, b=3)
    assert version() != no_filter_document()["version_info"]


def test_a_filter_says_no_more_than_it_must() -> None:
    plain = filter_document(name="n", root_id="r", vm_id="v", module="/m", config="c")
    assert list(found(plain, "environment_variables")) == []
    assert list(found(plain, "failure_policy")) == []


def test_the_module_is_kept_by_a_vm_that_may_do_nothing() -> None:
    document = kept_document("/m.wasm", ["fd_write"])
    assert list(found(document, "allowed_capabilities")) == [{"fd_write": {}, "proxy_on_done": {}}]
    assert list(found(document, "filename")) == ["/m.wasm"]
    assert document["resources"][0]["name"] == "kept"


def test_when_nothing_is_played_there_is_no_vm() -> None:
    for place, kind in (("played", "HeaderMutation"), ("after-1", "HeaderMutation"), (NETWORK, "SniCluster")):
        document = no_filter_document(place)
        assert document["resources"][0]["name"] == place
        assert document["resources"][0]["typed_config"]["@type"].endswith(f".{kind}")
        assert list(found(document, "vm_config")) == []


def test_a_filter_of_connections_is_of_another_kind() -> None:
    document = filter_document(place=NETWORK, name="n", root_id="r", vm_id="v", module="/m", config="c")
    (resource,) = document["resources"]
    assert resource["name"] == NETWORK
    assert resource["typed_config"]["@type"].endswith("filters.network.wasm.v3.Wasm")
