"""Manifests are views over bytes: nothing is lost, and everything wrong is named."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.oci import (
    Annotation,
    Descriptor,
    Digest,
    DocumentInvalid,
    Index,
    Manifest,
    MediaType,
    Platform,
    parse_manifest,
)

CONFIG = {"mediaType": MediaType.OCI_CONFIG, "digest": str(Digest.of(b"{}")), "size": 2}
LAYER = {
    "mediaType": MediaType.OCI_LAYER_GZIP,
    "digest": str(Digest.of(b"layer")),
    "size": 5,
    "annotations": {Annotation.TITLE: "plugin.wasm"},
}


def document(**changes: Any) -> bytes:
    whole = {"schemaVersion": 2, "config": CONFIG, "layers": [LAYER]} | changes
    return json.dumps({key: value for key, value in whole.items() if value is not ...}).encode()


def complaint(raw: bytes, media_type: str = "") -> str:
    """The message without the digest of the bytes, which every one begins with."""
    with pytest.raises(DocumentInvalid) as caught:
        parse_manifest(raw, media_type)
    head = f"manifest {Digest.of(raw)}"
    assert str(caught.value).startswith(head)
    return str(caught.value).removeprefix(head).removeprefix(":").strip()


def test_a_manifest_shows_its_parts() -> None:
    raw = document(annotations={"k": "v"}, artifactType="application/x", subject=CONFIG)
    manifest = Manifest.parse(raw)
    assert manifest.media_type == MediaType.OCI_MANIFEST
    assert manifest.config == Descriptor(MediaType.OCI_CONFIG, Digest.of(b"{}"), 2)
    assert manifest.layers == (
        Descriptor(MediaType.OCI_LAYER_GZIP, Digest.of(b"layer"), 5, {Annotation.TITLE: "plugin.wasm"}),
    )
    assert manifest.annotations == {"k": "v"}
    assert manifest.artifact_type == "application/x"
    assert manifest.subject == manifest.config


def test_the_digest_is_of_the_bytes_that_arrived() -> None:
    raw = b' { "schemaVersion" : 2, "x-unknown": [1, {"y": 2}],' + document()[1:-1] + b"}\n"
    manifest = Manifest.parse(raw)
    assert manifest.raw == raw
    assert manifest.digest == Digest.of(raw)
    assert manifest.descriptor == Descriptor(MediaType.OCI_MANIFEST, Digest.of(raw), len(raw))


def test_a_blob_that_is_listed_twice_counts_once() -> None:
    manifest = Manifest.parse(document(layers=[CONFIG, LAYER, LAYER]))
    assert [blob.digest for blob in manifest.blobs] == [Digest.of(b"{}"), Digest.of(b"layer")]


def test_null_is_absent_as_in_go() -> None:
    manifest = Manifest.parse(document(layers=None, annotations=None, subject=None, mediaType=None))
    assert (manifest.layers, manifest.annotations, manifest.subject) == ((), {}, None)


def test_a_docker_manifest_is_read() -> None:
    manifest = Manifest.parse(document(mediaType=MediaType.DOCKER_MANIFEST))
    assert manifest.media_type == MediaType.DOCKER_MANIFEST


def test_the_type_that_came_along_counts_when_none_is_inside() -> None:
    given_type = MediaType.DOCKER_MANIFEST + "; charset=utf-8"
    assert Manifest.parse(document(), given_type).media_type == MediaType.DOCKER_MANIFEST


def test_an_index_shows_its_manifests_and_platforms() -> None:
    platform = {"os": "wasi", "architecture": "wasm", "variant": "v1"}
    raw = json.dumps({"schemaVersion": 2, "manifests": [LAYER | {"platform": platform}, CONFIG]}).encode()
    index = parse_manifest(raw)
    assert isinstance(index, Index)
    assert index.media_type == MediaType.OCI_INDEX
    assert index.manifests[0].platform == Platform("wasi", "wasm", "v1")
    assert str(index.manifests[0].platform) == "wasi/wasm/v1"
    assert index.manifests[1].platform is None
    assert index.descriptor == Descriptor(MediaType.OCI_INDEX, Digest.of(raw), len(raw))


def test_an_index_is_not_taken_for_an_image() -> None:
    raw = json.dumps({"schemaVersion": 2, "manifests": []}).encode()
    with pytest.raises(DocumentInvalid) as caught:
        Manifest.parse(raw)
    assert str(caught.value) == f"manifest {Digest.of(raw)} is an index of several images, not an image"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(b"", "is not JSON: Expecting value: line 1 column 1 (char 0)", id="empty"),
        pytest.param(b"<html>", "is not JSON: Expecting value: line 1 column 1 (char 0)", id="html"),
        pytest.param(b"\xff{}", "is not UTF-8 at byte 0", id="not utf-8"),
        pytest.param(b"[]", "must be a JSON object", id="array"),
        pytest.param(b'{"a": NaN}', "is not JSON: it has a number that is none", id="nan"),
        pytest.param(
            b'{"a": ' + b"9" * 5000 + b"}", "is not JSON: it has a number that is none", id="long number"
        ),
        pytest.param(b'{"a":' * 9000, "is nested deeper than 32 levels", id="recursion"),
        pytest.param(
            b'{"a":' + b"[" * 40 + b"]" * 40 + b"}", "is nested deeper than 32 levels", id="too deep"
        ),
        pytest.param(b"{" + b" " * 4 * 1024 * 1024 + b"}", "is larger than 4194304 bytes", id="too large"),
        pytest.param(b"{}", "schemaVersion is missing", id="nothing"),
        pytest.param(document(schemaVersion=1), "schemaVersion must be 2, got 1", id="version 1"),
        pytest.param(
            document(schemaVersion="2"), 'schemaVersion must be a whole number, got "2"', id="text version"
        ),
        pytest.param(
            document(schemaVersion=True), "schemaVersion must be a whole number, got true", id="bool"
        ),
        pytest.param(document(config=...), "config.digest is missing", id="no config"),
        pytest.param(document(config=[]), "config must be an object, got []", id="config is a list"),
        pytest.param(document(layers={}), "layers must be an array, got {}", id="layers is an object"),
        pytest.param(document(layers=[7]), "layers[0] must be an object, got 7", id="layer is a number"),
        pytest.param(
            document(layers=[LAYER] * 513), "layers has 513 entries, more than 512", id="many layers"
        ),
        pytest.param(
            document(layers=[LAYER, {**LAYER, "size": -1}]), "layers[1].size is out of range: -1", id="size"
        ),
        pytest.param(
            document(layers=[{**LAYER, "size": 2**63}]),
            f"layers[0].size is out of range: {2**63}",
            id="huge size",
        ),
        pytest.param(
            document(layers=[{**LAYER, "size": 1.5}]),
            "layers[0].size must be a whole number, got 1.5",
            id="fraction",
        ),
        pytest.param(
            document(layers=[{**LAYER, "digest": "sha256:../../etc/passwd"}]),
            "layers[0].digest: a sha256 digest has 64 lower-case hex digits, not '../../etc/passwd'",
            id="escaping digest",
        ),
        pytest.param(
            document(layers=[{**LAYER, "annotations": {"k": 1}}]),
            "layers[0].annotations.k must be a string, got 1",
            id="annotation",
        ),
        pytest.param(
            document(annotations={"\x1b[31mred": 1}),
            "annotations.\\x1b[31mred must be a string, got 1",
            id="terminal codes in a key",
        ),
        pytest.param(document(annotations=[]), "annotations must be an object, got []", id="annotations"),
        pytest.param(
            b'{"schemaVersion":2,"mediaType":"\\ud800"}',
            "mediaType has half of a surrogate pair",
            id="surrogate",
        ),
        pytest.param(
            document(manifests=[]), "has both manifests and layers; nobody can say what it is", id="two kinds"
        ),
        pytest.param(
            document(mediaType=MediaType.OCI_INDEX),
            f"says it is {MediaType.OCI_INDEX} but has layers",
            id="not an index",
        ),
        pytest.param(
            document(config=..., layers=..., manifests=[], mediaType=MediaType.OCI_MANIFEST),
            f"says it is {MediaType.OCI_MANIFEST} but has manifests",
            id="not a manifest",
        ),
        pytest.param(
            document(mediaType=MediaType.DOCKER_SCHEMA1, schemaVersion=1),
            "is docker's old schema 1, which cannot be verified; push the image again",
            id="schema 1",
        ),
        pytest.param(
            document(mediaType="application/vnd.oci.artifact.manifest.v1+json"),
            "has a media type that is no image: 'application/vnd.oci.artifact.manifest.v1+json'",
            id="artifact manifest",
        ),
    ],
)
def test_what_is_wrong_with_a_manifest_is_named(raw: bytes, expected: str) -> None:
    assert complaint(raw) == expected


def test_a_type_that_contradicts_the_document_is_refused() -> None:
    raw = document(mediaType=MediaType.OCI_MANIFEST)
    assert (
        complaint(raw, MediaType.DOCKER_MANIFEST)
        == f"came as {MediaType.DOCKER_MANIFEST} but says it is {MediaType.OCI_MANIFEST}"
    )


def test_a_built_manifest_is_written_as_go_writes_it() -> None:
    config = Descriptor.of(MediaType.OCI_EMPTY, b"{}")
    layer = Descriptor.of("application/x", b"layer", {"b": "<&>", "a": "é\u2028"})
    manifest = Manifest.build(config, (layer,), {"z": "1", "a": "2"}, artifact_type="application/y")
    written = manifest.raw.decode().replace(str(config.digest), "C").replace(str(layer.digest), "L")
    assert written == (
        '{"schemaVersion":2,"artifactType":"application/y",'
        '"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"C","size":2},'
        '"layers":[{"mediaType":"application/x","digest":"L","size":5,'
        '"annotations":{"a":"é\\u2028","b":"\\u003c\\u0026\\u003e"}}],"annotations":{"a":"2","z":"1"}}'
    )
    assert manifest.layers == (layer,)
    assert manifest.annotations == {"z": "1", "a": "2"}


def test_a_descriptor_prints_what_it_read() -> None:
    described = Descriptor(
        "application/x", Digest.of(b""), 0, {"a": "b"}, "application/y", Platform("linux", "arm", "v7")
    )
    raw = json.dumps({"schemaVersion": 2, "manifests": [described.to_json()]}).encode()
    index = parse_manifest(raw)
    assert isinstance(index, Index)
    assert index.manifests == (described,)


json_value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.sampled_from([CONFIG, LAYER, 2]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)
members = ("schemaVersion", "mediaType", "config", "layers", "manifests", "annotations", "subject")


@given(st.dictionaries(st.sampled_from(members), json_value))
def test_any_document_is_read_or_explained(changes: dict[str, Any]) -> None:
    raw = document(**changes)
    try:
        assert parse_manifest(raw).raw == raw
    except DocumentInvalid as error:
        assert str(error).startswith(f"manifest {Digest.of(raw)}")  # noqa: PT017 - both outcomes are right


@given(st.binary(max_size=64))
def test_any_bytes_are_explained(raw: bytes) -> None:
    with pytest.raises(DocumentInvalid):
        parse_manifest(raw)
