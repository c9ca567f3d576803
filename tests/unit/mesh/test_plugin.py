"""A plugin says what Envoy will be told of one filter."""

import pytest

from weft.errors import UsageError
from weft.mesh import Failure, Plugin, discovered_filter, discovery_document, static_filter

WASM = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"


def test_a_plain_plugin_becomes_a_static_filter() -> None:
    plugin = Plugin(id="auth", module="/m/auth.wasm", root_id="auth_root", config={"key": "värde"})
    assert static_filter(plugin) == {
        "name": "auth",
        "typed_config": {
            "@type": WASM,
            "config": {
                "name": "auth",
                "root_id": "auth_root",
                "vm_config": {
                    "vm_id": "auth",
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": {"local": {"filename": "/m/auth.wasm"}},
                },
                "configuration": {
                    "@type": "type.googleapis.com/google.protobuf.StringValue",
                    "value": '{"key":"värde"}',
                },
            },
        },
    }


@pytest.mark.parametrize(
    ("config", "text"),
    [
        pytest.param(None, None, id="nothing"),
        pytest.param("", "", id="empty text"),
        pytest.param(' {"a" : 1}\n', ' {"a" : 1}\n', id="text is kept byte for byte"),
        pytest.param({"b": 1, "a": [True, None]}, '{"b":1,"a":[true,null]}', id="object"),
        pytest.param([], "[]", id="list"),
        pytest.param(0, "0", id="number"),
    ],
)
def test_the_config_is_text_as_it_is_or_json(config: object, text: str | None) -> None:
    plugin = Plugin(id="a", module="/a.wasm", config=config)
    assert plugin.config_text == text
    held = static_filter(plugin)["typed_config"]["config"].get("configuration")
    assert (held and held["value"]) == text


@pytest.mark.parametrize(
    ("failure", "policy"),
    [(Failure.CLOSED, None), (Failure.OPEN, "FAIL_OPEN"), (Failure.RELOAD, "FAIL_RELOAD")],
)
def test_the_failure_becomes_envoys_policy(failure: Failure, policy: str | None) -> None:
    config = static_filter(Plugin(id="a", module="/a", failure=failure))["typed_config"]["config"]
    assert config.get("failure_policy") == policy


def test_the_environment_reaches_the_vm() -> None:
    plugin = Plugin(id="a", module="/a", environment={"MODE": "dry"})
    vm = static_filter(plugin)["typed_config"]["config"]["vm_config"]
    assert vm["environment_variables"] == {"key_values": {"MODE": "dry"}}


def test_two_plugins_never_share_a_vm() -> None:
    first, second = (Plugin(id=name, module="/same.wasm") for name in ("a", "b"))
    assert first.vm_id != second.vm_id


def test_a_discovered_filter_names_its_file_and_type() -> None:
    assert discovered_filter(Plugin(id="a", module="/a"), "/run/a.json") == {
        "name": "a",
        "config_discovery": {
            "config_source": {
                "resource_api_version": "V3",
                "path_config_source": {"path": "/run/a.json"},
                "initial_fetch_timeout": "5s",
            },
            "type_urls": [WASM],
        },
    }


def test_the_discovery_document_holds_what_the_static_filter_holds() -> None:
    plugin = Plugin(id="a", module="/a", config="x")
    [resource] = discovery_document(plugin)["resources"]
    assert resource["@type"] == "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"
    assert {key: resource[key] for key in ("name", "typed_config")} == static_filter(plugin)


def test_the_version_of_a_discovery_document_is_its_content() -> None:
    versions = {
        discovery_document(Plugin(id="a", module=module, config=config))["version_info"]
        for module in ("/1", "/2")
        for config in ("x", "y", "x")
    }
    assert len(versions) == 4


@pytest.mark.parametrize("name", ["", "a b", "a:b", "-a", ".a", "a/b", "ä", "a\n"])
def test_an_id_that_names_cannot_carry_is_refused(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        Plugin(id=name, module="/a")
    assert str(caught.value) == f"{name!r} cannot be a filter's id"
