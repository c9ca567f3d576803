"""Who takes which layout, and the words of those who do not.

The rows are those of Istio's own tests (pkg/wasm/imagefetcher_test.go) and of what the other programs' source
says; `tests/modules/sample_images.py` lays the images out as their builders do.
"""

from collections.abc import Sequence

import pytest

from modules import sample_images
from modules.sample_images import assemble, container, tar_gz
from weft.image import (
    CONSUMERS,
    Answer,
    Image,
    Published,
    WasmType,
    ask_consumers,
    blobs_to_judge,
    linux_amd64,
)
from weft.oci import Annotation, Index, MediaType, compact_json, parse_manifest

MODULE = sample_images.MODULE
DOCKER = MediaType.DOCKER_LAYER_GZIP
NEW, OLD, GATEWAY, WASME, GLOO, WKG, ORAS = range(7)
PLUGIN = tar_gz({"plugin.wasm": MODULE})
OTHER = tar_gz({"not-wasm.txt": b"x"})
SOLO, CONFIG = (WasmType.SOLO_MODULE, MODULE), (WasmType.SOLO_CONFIG, b"{}")


def ask(image: Image, *, index: Index | None = None) -> Sequence[Answer]:
    blobs = {blob.digest: image.blob(blob) for blob in blobs_to_judge(image.manifest)}
    return ask_consumers(Published("hub.example.com/f:v1", image.manifest, blobs, index))


def solo() -> Image:
    return sample_images.sample(flavor="solo")


@pytest.mark.parametrize(
    ("image", "takers"),
    [
        pytest.param(solo(), {NEW, OLD, GATEWAY, WASME, GLOO, ORAS}, id="solo"),
        pytest.param(sample_images.sample(flavor="compat"), {NEW, OLD, GATEWAY, ORAS}, id="compat"),
        pytest.param(sample_images.sample(flavor="cncf"), {WKG, ORAS}, id="cncf"),
        pytest.param(
            container([(MediaType.DOCKER_LAYER_GZIP, PLUGIN)], docker=True),
            {NEW, OLD, GATEWAY, ORAS},
            id="docker, one layer",
        ),
        pytest.param(
            container(
                [(MediaType.DOCKER_LAYER_GZIP, OTHER), (MediaType.DOCKER_LAYER_GZIP, PLUGIN)], docker=True
            ),
            {NEW, GATEWAY, ORAS},
            id="docker, the module in the last of two layers",
        ),
        pytest.param(
            container([(MediaType.OCI_LAYER_GZIP, PLUGIN), (MediaType.OCI_LAYER_GZIP, OTHER)]),
            {ORAS},
            id="the module in an earlier layer",
        ),
        pytest.param(container([(MediaType.OCI_LAYER, b"")]), {ORAS}, id="a plain tar"),
        pytest.param(assemble(CONFIG, [SOLO]), {WASME, GLOO, ORAS}, id="ASM and ORAS: one layer"),
        pytest.param(assemble((MediaType.OCI_EMPTY, b"{}"), [SOLO]), {ORAS}, id="no config of wasme's"),
        pytest.param(
            assemble((WasmType.KRUSTLET_CONFIG, b"{}"), [(WasmType.KRUSTLET_MODULE, MODULE)]),
            {ORAS},
            id="wasm-to-oci",
        ),
    ],
)
def test_who_takes_which_layout(image: Image, takers: set[int]) -> None:
    assert {number for number, answer in enumerate(ask(image)) if answer.accepts} == takers


@pytest.mark.parametrize(
    ("image", "who", "error"),
    [
        pytest.param(
            container([(MediaType.OCI_LAYER, b"")]),
            NEW,
            "the given image is in invalid format as an OCI image: 2 errors occurred:\n"
            "\t* could not parse as compat variant: invalid media type application/vnd.oci.image.layer.v1.tar"
            " (expect application/vnd.oci.image.layer.v1.tar+gzip)\n"
            "\t* could not parse as oci variant: number of layers must be 2 but got 1\n\n",
            id="Istio, a plain tar",
        ),
        pytest.param(
            container([(MediaType.OCI_LAYER, b"")]),
            GATEWAY,
            "the given image is in invalid format as an OCI image: "
            "could not parse as compat variant: invalid media type application/vnd.oci.image.layer.v1.tar"
            " (expect application/vnd.oci.image.layer.v1.tar+gzip)\n"
            "could not parse as oci variant: number of layers must be 2 but got 1",
            id="Envoy Gateway, a plain tar",
        ),
        pytest.param(
            container([(MediaType.DOCKER_LAYER_GZIP, PLUGIN)] * 2, docker=True),
            OLD,
            "could not extract Wasm file from the image as Docker container "
            "number of layers must be 1 but got 2",
            id="Istio before 1.16, two layers",
        ),
        pytest.param(
            container([(MediaType.DOCKER_LAYER_GZIP, OTHER)], docker=True),
            NEW,
            "could not extract Wasm file from the image as Docker container "
            "could not extract wasm binary: plugin.wasm not found in the archive",
            id="Istio, no plugin.wasm",
        ),
        pytest.param(
            container([(MediaType.DOCKER_LAYER_GZIP, MODULE)], docker=True),
            NEW,
            "could not extract Wasm file from the image as Docker container "
            "could not extract wasm binary: failed to parse layer as tar.gz: gzip: invalid header",
            id="Istio, a layer that is no gzip",
        ),
        pytest.param(
            container([(DOCKER, b"\x1f\x8b\x08")], docker=True),
            NEW,
            "could not extract Wasm file from the image as Docker container "
            "could not extract wasm binary: failed to parse layer as tar.gz: unexpected EOF",
            id="Istio, the beginning of a gzip",
        ),
        pytest.param(
            container([], docker=True),
            NEW,
            "could not extract Wasm file from the image as Docker container "
            "number of layers must be greater than zero",
            id="Istio, no layer",
        ),
        pytest.param(
            sample_images.sample(flavor="compat"),
            WASME,
            "media type application/vnd.module.wasm.config.v1+json not found on image",
            id="wasme, compat",
        ),
        pytest.param(
            assemble(CONFIG, []),
            WASME,
            "media type application/vnd.module.wasm.content.layer.v1+wasm not found on image",
            id="wasme, no module",
        ),
        pytest.param(solo(), WKG, "Wasm components must have exactly one layer", id="wkg, solo"),
        pytest.param(
            assemble((WasmType.CNCF_CONFIG, b"{}"), [(WasmType.CNCF_MODULE, MODULE)]),
            WKG,
            "Wasm components must have a manifest of type application/vnd.oci.image.manifest.v1+json",
            id="wkg, a manifest that does not say its type",
        ),
        pytest.param(
            sample_images.sample(flavor="compat"),
            WKG,
            "Wasm components must have a config of type application/vnd.wasm.config.v0+json",
            id="wkg, compat",
        ),
    ],
)
def test_a_refusal_is_in_the_programs_own_words(image: Image, who: int, error: str) -> None:
    assert ask(image)[who].error == error


def test_wasmes_two_layers_of_other_types_are_refused() -> None:
    image = assemble(CONFIG, [("aaa", b"1"), ("aaa", b"2")])
    assert ask(image)[NEW].error.endswith(
        "\t* could not parse as oci variant: "
        "could not find the layer of type application/vnd.module.wasm.content.layer.v1+wasm\n\n"
    )


class TestIndex:
    """Images behind an index of several platforms."""

    @staticmethod
    def index(image: Image, platform: dict[str, str] | None) -> Index:
        entry = image.manifest.descriptor.to_json() | ({"platform": platform} if platform else {})
        document = {"schemaVersion": 2, "mediaType": MediaType.OCI_INDEX, "manifests": [entry]}
        index = parse_manifest(compact_json(document))
        assert isinstance(index, Index)
        return index

    def test_a_pin_of_the_index_is_warned_of(self) -> None:
        image = solo()
        answer = ask(image, index=self.index(image, {"os": "linux", "architecture": "amd64"}))[NEW]
        assert answer.accepts
        assert answer.remark.endswith(f"pin {image.digest}")

    def test_wasme_knows_no_index(self) -> None:
        image = solo()
        assert not ask(image, index=self.index(image, None))[WASME].accepts

    def test_without_linux_amd64_nobody_finds_it(self) -> None:
        index = self.index(solo(), {"os": "wasi", "architecture": "wasm"})
        assert linux_amd64(index) is None
        answers = ask_consumers(Published("hub.example.com/f:v1", None, {}, index))
        assert answers[NEW].error == (
            "could not fetch image: no child with platform linux/amd64 in index hub.example.com/f:v1"
        )
        assert [answer.consumer for answer in answers if answer.accepts] == ["ORAS"]

    @pytest.mark.parametrize("platform", [None, {"os": "linux", "architecture": "amd64"}])
    def test_an_entry_without_a_platform_counts_as_linux_amd64(self, platform: dict[str, str] | None) -> None:
        image = solo()
        entry = linux_amd64(self.index(image, platform))
        assert entry is not None
        assert entry.digest == image.digest


def test_oras_says_which_images_give_no_files() -> None:
    assert ask(solo())[ORAS].remark == ""
    assert ask(sample_images.sample(flavor="compat"))[ORAS].remark == (
        f'it writes no file: no layer has a name in "{Annotation.TITLE}"'
    )


def test_only_an_archive_need_be_read() -> None:
    assert blobs_to_judge(solo().manifest) == ()
    compat = sample_images.sample(flavor="compat")
    assert blobs_to_judge(compat.manifest) == compat.manifest.layers


def test_the_table_is_in_the_order_that_these_tests_name() -> None:
    assert [consumer.name for consumer in CONSUMERS] == [
        "Istio", "Istio", "Envoy Gateway", "wasme", "Gloo Edge", "wkg", "ORAS",
    ]  # fmt: skip
