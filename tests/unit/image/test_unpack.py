"""Every layout that another tool writes is read, or refused with the reason.

The rows are the acceptance matrix of the consumers (Istio, wasme, ORAS, wkg) and Istio's own test tables.
"""

import gzip
import json

import pytest

from modules.sample_images import MODULE, RUNTIME, Blob, assemble, bare_tar, container, tar, tar_gz
from weft.image import Image, ImageInvalid, RuntimeConfig, WasmType, choose_manifest, flavor_of, pack, unpack
from weft.oci import Descriptor, Digest, DocumentInvalid, Index, MediaType, Platform, parse_manifest

OCI, DOCKER = MediaType.OCI_LAYER_GZIP, MediaType.DOCKER_LAYER_GZIP
PLUGIN = tar_gz({"plugin.wasm": MODULE})
BOTH = tar_gz({"runtime-config.json": RUNTIME.to_bytes(), "plugin.wasm": MODULE})
BASE = tar_gz({"etc/os-release": b"ID=debian", "bin/sh": b"\x7fELF"})
CONFIG: Blob = (WasmType.SOLO_CONFIG, RUNTIME.to_bytes())
CONTENT: Blob = (WasmType.SOLO_MODULE, MODULE)
EMPTY: Blob = (MediaType.OCI_EMPTY, b"{}")


@pytest.mark.parametrize(
    ("image", "flavor", "runtime"),
    [
        pytest.param(container([(DOCKER, PLUGIN)], docker=True), "compat", None, id="docker, one layer"),
        pytest.param(
            container([(DOCKER, BASE), (DOCKER, BOTH)], docker=True),
            "compat",
            RUNTIME,
            id="docker, two layers",
        ),
        pytest.param(container([(OCI, PLUGIN)]), "compat", None, id="oci, one layer"),
        pytest.param(container([(OCI, BOTH)]), "compat", RUNTIME, id="oci, with runtime config"),
        pytest.param(container([(OCI, BASE), (OCI, PLUGIN)]), "compat", None, id="oci, two layers"),
        pytest.param(container([(DOCKER, BASE), (OCI, PLUGIN)]), "compat", None, id="docker below oci"),
        pytest.param(
            container([(OCI, tar_gz({"./plugin.wasm": MODULE}))]), "compat", None, id="dot before the name"
        ),
        pytest.param(
            container([(OCI, tar_gz({"usr/lib/plugin.wasm": MODULE}))]), "compat", None, id="in a folder"
        ),
        pytest.param(
            container([(OCI, tar_gz({"../../plugin.wasm": MODULE}))]), "compat", None, id="escaping name"
        ),
        pytest.param(
            container([(OCI, gzip.compress(bare_tar({"plugin.wasm": MODULE})))]),
            "compat",
            None,
            id="no trailer",
        ),
        pytest.param(
            container([(OCI, gzip.compress(bare_tar({"plugin.wasm": MODULE}) + b"garbage" * 99))]),
            "compat",
            None,
            id="garbage behind the module",
        ),
        pytest.param(container([(OCI, PLUGIN + b"\0" * 300)]), "compat", None, id="padded gzip"),
        pytest.param(
            container([(OCI, PLUGIN), (OCI, tar_gz({"runtime-config.json": RUNTIME.to_bytes()}))]),
            "compat",
            RUNTIME,
            id="one layer per COPY",
        ),
        pytest.param(
            container([(OCI, PLUGIN), (OCI, tar_gz({"manifest.yaml": b"a: b"})), (OCI, BASE)]),
            "compat",
            None,
            id="three COPY layers, module first",
        ),
        pytest.param(
            container([(MediaType.OCI_LAYER, tar({"plugin.wasm": MODULE}))]), "compat", None, id="plain tar"
        ),
        pytest.param(
            container([(OCI, tar({"plugin.wasm": MODULE}))]), "compat", None, id="tar that claims to be gzip"
        ),
        pytest.param(assemble(CONFIG, [CONFIG, CONTENT]), "solo", RUNTIME, id="solo, two layers"),
        pytest.param(assemble(CONFIG, [CONTENT, CONFIG]), "solo", RUNTIME, id="solo, other order"),
        pytest.param(assemble(CONFIG, [CONTENT]), "solo", RUNTIME, id="oras and asm: config and one layer"),
        pytest.param(assemble(EMPTY, [CONTENT]), "solo", None, id="oras without a config"),
        pytest.param(assemble(EMPTY, [CONFIG, CONTENT]), "solo", RUNTIME, id="oras, both as layers"),
        pytest.param(assemble(CONTENT, [CONFIG]), "solo", RUNTIME, id="module as config, which wasme takes"),
        pytest.param(
            assemble((WasmType.EARLY_SOLO_CONFIG, RUNTIME.to_bytes()), [CONTENT]),
            "solo",
            RUNTIME,
            id="early config type",
        ),
        pytest.param(
            assemble((WasmType.KRUSTLET_CONFIG, b""), [(WasmType.KRUSTLET_MODULE, MODULE)]),
            "solo",
            None,
            id="wasm-to-oci",
        ),
        pytest.param(
            assemble((WasmType.CNCF_CONFIG, b"{}"), [(WasmType.CNCF_MODULE, MODULE)]), "cncf", None, id="wkg"
        ),
        pytest.param(pack(MODULE, RUNTIME, flavor="cncf"), "cncf", RUNTIME, id="cncf by weft"),
        pytest.param(pack(MODULE, RUNTIME, flavor="compat"), "compat", RUNTIME, id="compat by weft"),
    ],
)
def test_the_module_is_found(image: Image, flavor: str, runtime: RuntimeConfig | None) -> None:
    contents = unpack(image)
    assert (contents.flavor, contents.module, contents.runtime) == (flavor, MODULE, runtime)


def test_the_last_module_wins_as_in_a_container() -> None:
    newer = MODULE + b"\0\2\1x"
    image = container([(OCI, PLUGIN), (OCI, tar_gz({"plugin.wasm": newer}))])
    assert unpack(image).module == newer


def test_the_first_module_of_a_layer_wins_as_in_istio() -> None:
    image = container([(OCI, tar_gz({"plugin.wasm": MODULE, "old/plugin.wasm": MODULE + b"\0\2\1x"}))])
    assert unpack(image).module == MODULE


@pytest.mark.parametrize(
    ("image", "complaint"),
    [
        pytest.param(container([]), "image D is not a wasm image: it has no layers", id="no layers"),
        pytest.param(
            assemble(EMPTY, [("application/vnd.cncf.helm.chart.v1.tar+gzip", b"")]),
            "image D is not a wasm image: its layers are 'application/vnd.cncf.helm.chart.v1.tar+gzip'",
            id="a chart",
        ),
        pytest.param(
            container([(OCI, BASE)]),
            "image D has no plugin.wasm in any of its 1 layers",
            id="container image",
        ),
        pytest.param(
            container([(OCI, tar_gz({"not-wasm.txt": b"x"}))]),
            "image D has no plugin.wasm in any of its 1 layers",
            id="other file",
        ),
        pytest.param(
            container([(OCI, PLUGIN), (MediaType.OCI_LAYER_ZSTD, b"\x28\xb5\x2f\xfd....")]),
            "layer 2 of 2 of image D: the layer is compressed with zstd",
            id="zstd",
        ),
        pytest.param(
            container([(OCI, PLUGIN[:60])]),
            "layer 1 of 1 of image D: the gzip data ends too early",
            id="gzip cut off",
        ),
        pytest.param(
            container([(OCI, PLUGIN[:30] + b"\xff" * 40 + PLUGIN[70:])]),
            "layer 1 of 1 of image D: the gzip data is damaged: ",
            id="gzip damaged",
        ),
        pytest.param(
            container([(OCI, b"\0asm\1\0\0\0")]),
            "layer 1 of 1 of image D: the archive ends at byte 8, inside a header",
            id="raw module as layer",
        ),
        pytest.param(
            container([(OCI, b"x" * 2000)]),
            "layer 1 of 1 of image D: there is no tar header at byte 0",
            id="not a tar",
        ),
        pytest.param(
            container([(OCI, bare_tar({"plugin.wasm": MODULE})[:-3])]),
            f"layer 1 of 1 of image D: the archive ends at byte {512 + len(MODULE) - 3}, inside a file",
            id="module cut off",
        ),
        pytest.param(
            container([(OCI, tar_gz({"plugin.wasm": b"this is wasm plugin"}))]),
            "plugin.wasm in layer 1 of 1 of image D is not WebAssembly: it begins with 74 68 69 73",
            id="not a module",
        ),
        pytest.param(
            assemble(CONFIG, [CONFIG, (WasmType.SOLO_MODULE, gzip.compress(MODULE))]),
            "the module of image D is not WebAssembly: it begins with 1f 8b 08 00",
            id="gzipped solo module",
        ),
        pytest.param(
            assemble(CONFIG, [CONTENT, (WasmType.SOLO_MODULE, MODULE + b"\0")]),
            "image D has 2 modules; which one is meant?",
            id="two modules",
        ),
        pytest.param(
            assemble(EMPTY, [(WasmType.CNCF_MODULE, b"\0asm\x0d\0\1\0")]),
            "the module of image D is a WebAssembly component; proxies run core modules only",
            id="component",
        ),
    ],
)
def test_what_cannot_be_read_is_explained(image: Image, complaint: str) -> None:
    with pytest.raises(ImageInvalid) as caught:
        unpack(image)
    assert str(caught.value).replace(str(image.digest), "D").startswith(complaint)


@pytest.mark.parametrize(
    ("image", "place"),
    [
        pytest.param(
            assemble((WasmType.SOLO_CONFIG, b"{"), [CONTENT]), "runtime-config.json of image D", id="solo"
        ),
        pytest.param(
            container([(OCI, tar_gz({"runtime-config.json": b"[]", "plugin.wasm": MODULE}))]),
            "runtime-config.json in layer 1 of 1 of image D",
            id="compat",
        ),
        pytest.param(
            assemble(EMPTY, [(WasmType.CNCF_MODULE, MODULE)], annotations={"dev.weft.runtime-config": "x"}),
            "annotation dev.weft.runtime-config of image D",
            id="cncf",
        ),
    ],
)
def test_a_broken_runtime_config_is_named_with_its_place(image: Image, place: str) -> None:
    with pytest.raises(DocumentInvalid) as caught:
        unpack(image)
    assert str(caught.value).replace(str(image.digest), "D").startswith(place)


def test_an_image_without_its_blobs_says_which() -> None:
    image = assemble(CONFIG, [CONTENT])
    empty = Image(image.manifest, {})
    with pytest.raises(ImageInvalid) as caught:
        unpack(empty)
    assert str(caught.value) == f"image {image.digest} lacks blob {image.manifest.layers[0].digest}"


def index(*platforms: str | None) -> Index:
    entries = []
    for number, platform in enumerate(platforms):
        system, _, machine = (platform or "").partition("/")
        described = Platform(system, machine) if platform else None
        entry = Descriptor(MediaType.OCI_MANIFEST, Digest.of(b"%d" % number), number, platform=described)
        entries.append(entry.to_json())
    parsed = parse_manifest(json.dumps({"schemaVersion": 2, "manifests": entries}).encode())
    assert isinstance(parsed, Index)
    return parsed


@pytest.mark.parametrize(
    ("platforms", "chosen"),
    [
        pytest.param(("linux/arm64", "linux/amd64"), 1, id="linux/amd64 on every machine"),
        pytest.param(("linux/amd64", "wasip1/wasm"), 1, id="made for wasm"),
        pytest.param(("wasi/wasm", "unknown/unknown"), 0, id="wasm with an attestation"),
        pytest.param(("unknown/unknown", "linux/arm64"), 1, id="the only image beside an attestation"),
        pytest.param((None,), 0, id="the only one, no platform"),
    ],
)
def test_an_index_gives_the_image_that_suits_wasm(platforms: tuple[str | None, ...], chosen: int) -> None:
    assert choose_manifest(index(*platforms)).size == chosen


@pytest.mark.parametrize(
    ("platforms", "complaint"),
    [
        pytest.param((), "; it is empty", id="empty"),
        pytest.param(
            ("linux/arm64", "windows/amd64", None),
            "; its platforms: linux/arm64, windows/amd64, none",
            id="no",
        ),
    ],
)
def test_an_index_without_such_an_image_is_explained(
    platforms: tuple[str | None, ...], complaint: str
) -> None:
    with pytest.raises(ImageInvalid) as caught:
        choose_manifest(index(*platforms))
    assert str(caught.value).endswith("has no image for wasm or linux/amd64" + complaint)


def test_a_manifest_is_judged_without_its_blobs() -> None:
    assert flavor_of(container([(OCI, PLUGIN)]).manifest).NAME == "compat"
