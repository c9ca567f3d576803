"""runtime-config.json is read in every spelling and written in wasme's."""

import pytest

from weft.image import RuntimeConfig
from weft.oci import Digest, DocumentInvalid

V541 = "v0-541b2c1155fffb15ccde92b8324f3e38f7339ba6"
V097 = "v0-097b7f2e4cc1fb490cc1943d0d633655ac3c522f"
TEMPLATE = (
    b'{\n  "type": "envoy_proxy",\n  "abiVersions": ["v0.2.1"],\n  "config": {"rootIds": ["add_header"]}\n}\n'
)


def test_wasmes_own_bytes_come_out() -> None:
    # wasme acceptance case A02: 166 bytes, 766ecd72…
    written = RuntimeConfig(abi_versions=(V541, V097), root_ids=("add_header",)).to_bytes()
    assert len(written) == 166
    assert Digest.of(written).hex == "766ecd72b4cc55952c00650f1a77b5f138207e76b5b2a241352ef245203af770"


def test_a_template_is_read() -> None:
    assert RuntimeConfig.parse(TEMPLATE) == RuntimeConfig("envoy_proxy", ("v0.2.1",), ("add_header",))


@pytest.mark.parametrize(
    ("raw", "written"),
    [
        pytest.param(
            TEMPLATE,
            b'{"type":"envoy_proxy","abiVersions":["v0.2.1"],"config":{"rootIds":["add_header"]}}',
            id="spaces go",
        ),
        pytest.param(
            b'{"config":{"root_ids":["a","b"]},"abi_versions":["x"],"type":"t"}',
            b'{"type":"t","abiVersions":["x"],"config":{"rootIds":["a","b"]}}',
            id="snake case",
        ),
        pytest.param(
            b'{"type":"envoy_proxy","abiVersion":"x","config":{"rootIds":["a"]}}',
            b'{"type":"envoy_proxy","abiVersions":["x"],"config":{"rootIds":["a"]}}',
            id="one abi version, as early images have it",
        ),
        pytest.param(b"{}", b"{}", id="nothing"),
        pytest.param(b'{"type":"","abiVersions":[],"config":null}', b"{}", id="defaults are left out"),
        pytest.param(b'{"type":"t","config":{}}', b'{"type":"t","config":{}}', id="an empty config stays"),
        pytest.param(
            b'{"x-owner":{"team":[1]},"config":{"depth":3,"rootIds":["a"]},"type":"t"}',
            b'{"type":"t","config":{"rootIds":["a"],"depth":3},"x-owner":{"team":[1]}}',
            id="unknown keys are kept, behind",
        ),
        pytest.param(
            '{"type":"é<&>","config":{"rootIds":["a\u2028"]}}'.encode(),
            '{"type":"é\\u003c\\u0026\\u003e","config":{"rootIds":["a\\u2028"]}}'.encode(),
            id="letters that Go escapes",
        ),
    ],
)
def test_it_is_written_as_wasme_writes_it(raw: bytes, written: bytes) -> None:
    config = RuntimeConfig.parse(raw)
    assert config.to_bytes() == written
    assert RuntimeConfig.parse(written) == config


def test_the_annotations_are_wasmes() -> None:
    assert RuntimeConfig(abi_versions=(V541, V097)).annotations == {
        "module.wasm.runtime/abi_version": f"{V541},{V097}",
        "module.wasm.runtime/type": "envoy_proxy",
    }


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        pytest.param(b"", "f.json is not JSON: Expecting value: line 1 column 1 (char 0)", id="empty"),
        pytest.param(b"[]", "f.json must be a JSON object", id="array"),
        pytest.param(b'{"type":1}', "f.json: type must be a string, got 1", id="type"),
        pytest.param(
            b'{"abiVersions":"x"}', 'f.json: abiVersions must be an array, got "x"', id="abi versions"
        ),
        pytest.param(
            b'{"abi_versions":[1]}', "f.json: abi_versions[0] must be a string, got 1", id="abi version"
        ),
        pytest.param(b'{"config":[]}', "f.json: config must be an object, got []", id="config"),
        pytest.param(b'{"config":{"rootIds":[null]}}', "f.json: config.rootIds[0] is missing", id="root id"),
        pytest.param(
            b'{"a":"' + b"x" * 1024 * 1024 + b'"}', "f.json is larger than 1048576 bytes", id="large"
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(raw: bytes, complaint: str) -> None:
    with pytest.raises(DocumentInvalid) as caught:
        RuntimeConfig.parse(raw, where="f.json")
    assert str(caught.value) == complaint
