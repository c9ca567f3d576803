"""What Envoy is told of a case, and whom the filter may call in it."""

from typing import Any

import pytest

from weft.scenario import Case, parse
from weft.stage import Project
from weft.stage.told import case_documents, servers, vm_ids

PROJECT = Project("shop", "shop_root", b'{"a": 1}')


def case_of(scenario: str) -> Case:
    (case,) = parse(f"scenarios: [{{name: a, {scenario}}}]", where="x.yaml")
    return case


def file_of(name: str | None) -> str:
    return f"/{name or 'm'}.wasm"


def told(scenario: str, vm_id: str = "vm-1") -> dict[str, dict[str, Any]]:
    return case_documents(case_of(scenario), PROJECT, vm_id=vm_id, files=file_of)


def plugin(scenario: str) -> dict[str, Any]:
    document = told(scenario)["played"]
    (resource,) = document["resources"]
    assert (resource["name"], resource["typed_config"]["@type"]) == (
        "played",
        "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
    )
    config: dict[str, Any] = resource["typed_config"]["config"]
    return config


def text(value: str) -> dict[str, str]:
    return {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": value}


def test_where_a_case_says_nothing_the_project_does() -> None:
    assert plugin("steps: []") == {
        "name": "shop",
        "root_id": "shop_root",
        "configuration": text('{"a": 1}'),
        "vm_config": {
            "vm_id": "vm-1",
            "runtime": "envoy.wasm.runtime.v8",
            "code": {"local": {"filename": "/m.wasm"}},
            "configuration": text(""),
        },
    }


def test_a_case_has_the_last_word() -> None:
    said = "name: n, root_id: '', config: {b: 2}, vm_config: v, environment: {K: V}, fail_open: true"
    made = plugin(f"plugin: {{{said}}}")
    vm = made["vm_config"]
    assert (made["name"], made["root_id"], made["configuration"]) == ("n", "", text('{"b": 2}'))
    assert (vm["configuration"], made["failure_policy"]) == (text("v"), "FAIL_OPEN")
    assert vm["environment_variables"] == {"key_values": {"K": "V"}}


def test_each_case_is_another_version() -> None:
    versions = {told("steps: []", vm_id)["played"]["version_info"] for vm_id in ("1", "2")}
    assert len(versions) == 2


CHAIN = "setup: {before: [{module: x, name: first}], after: [{config: other}, {}]}"


def test_neighbors_have_places_and_vms_of_their_own() -> None:
    made = told(CHAIN)
    assert list(made) == ["before-1", "played", "after-1", "after-2"]
    configs = [document["resources"][0]["typed_config"]["config"] for document in made.values()]
    assert [(one["name"], one["root_id"], one["configuration"]["value"]) for one in configs] == [
        ("first", "", ""), ("shop", "shop_root", '{"a": 1}'), ("shop", "shop_root", "other"),
        ("shop", "shop_root", '{"a": 1}'),
    ]  # fmt: skip
    files = [one["vm_config"]["code"]["local"]["filename"] for one in configs]
    assert files == ["/x.wasm", "/m.wasm", "/m.wasm", "/m.wasm"]
    vms = [one["vm_config"]["vm_id"] for one in configs]
    assert vms == vm_ids(case_of(CHAIN), "vm-1")
    assert vms == ["vm-1-before-1", "vm-1", "vm-1-after-1", "vm-1-after-2"]


def test_a_filter_of_connections_has_one_place() -> None:
    assert list(told("steps: [{connect: true}]")) == ["network"]
    assert vm_ids(case_of("steps: [{connect: true}]"), "v") == ["v"]


EXPECTED = "expect: {calls: [{cluster: late}]}"


@pytest.mark.parametrize(
    ("scenario", "known", "found"),
    [
        pytest.param("steps: []", set(), set(), id="nobody"),
        pytest.param("steps: []", {"auth"}, {"auth"}, id="whom the filter is known to call"),
        pytest.param("setup: {clusters: [a, b]}", {"auth"}, {"a", "b"}, id="only whom the case allows"),
        pytest.param("setup: {clusters: []}", {"auth"}, set(), id="nobody at all"),
        pytest.param("steps: [{reply: {cluster: r}}]", {"auth"}, {"r", "auth"}, id="who replies"),
        pytest.param("steps: [{request: {}, expect: {calls: [{cluster: c}]}}]", set(), {"c"}, id="expected"),
        pytest.param(EXPECTED, set(), {"late"}, id="expected at the end"),
        pytest.param("expect: {calls: [{cluster: {exact: e}}]}", set(), {"e"}, id="in so many words"),
        pytest.param("expect: {calls: [{cluster: {regex: p}}]}", set(), set(), id="not in so many words"),
        pytest.param("expect: {calls: [{}]}", set(), set(), id="any"),
    ],
)
def test_whom_the_filter_may_call(scenario: str, known: set[str], found: set[str]) -> None:
    assert servers(case_of(scenario), frozenset(known)) == found
