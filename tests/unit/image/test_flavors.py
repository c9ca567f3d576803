"""What weft packs: wasme's very bytes, and images that their consumers take."""

import gzip
import json
import tarfile
from io import BytesIO

import pytest

from modules.sample_images import MODULE, RUNTIME, module
from weft.errors import UsageError
from weft.image import FLAVORS, ImageInvalid, RuntimeConfig, WasmType, pack, unpack
from weft.image.flavors import solo
from weft.oci import Descriptor, Digest, Manifest

V541 = "v0-541b2c1155fffb15ccde92b8324f3e38f7339ba6"
V097 = "v0-097b7f2e4cc1fb490cc1943d0d633655ac3c522f"
V468 = "v0-4689a30309abf31aee9ae36e73d34b1bb182685f"

# Images of solo.io's documentation: ABI names, config, module, manifest; sizes and digests as printed there.
GOLDEN = [
    pytest.param(
        (V097,),
        (120, "5643b1ce320eaeb2e481df8d8062cd166b1853939d7c0dc41029f18697e96b41"),
        (12527, "8b74e9b0bbc5ff674c49cde904669a775a939b4d8f7f72aba88c184d527dfc30"),
        (849, "297527f8740818bd18514a066f936927383a688f827a9573b108609d1a411beb"),
        id="basic_push",
    ),
    pytest.param(
        (V541, V097, V468, "v0.2.1"),
        (221, "fe494a4546f6e664d679b31926d634df5bb6b3d5d19c0b8063ba80742a615214"),
        (12577, "0295d929353976266ab721389ec859b2fe012d63ce2e58815469ab85c123b510"),
        (944, "292ccca873163a82424efeb77b47d6ecc513fb9a925ba02bf95dca93d07fb319"),
        id="getting_started",
    ),
]


@pytest.mark.parametrize(("abis", "config", "filter_", "manifest"), GOLDEN)
def test_solo_is_wasmes_image_byte_for_byte(
    abis: tuple[str, ...], config: tuple[int, str], filter_: tuple[int, str], manifest: tuple[int, str]
) -> None:
    runtime = RuntimeConfig(abi_versions=abis, root_ids=("add_header",))
    config_blob = Descriptor.of(WasmType.SOLO_CONFIG, runtime.to_bytes())
    assert (config_blob.size, config_blob.digest.hex) == config
    module_blob = Descriptor(WasmType.SOLO_MODULE, Digest("sha256", filter_[1]), filter_[0])
    built = solo.manifest(config_blob, module_blob, runtime)
    assert (len(built.raw), built.digest.hex) == manifest


def test_a_solo_manifest_of_two_abis_has_the_length_seen_on_the_wire() -> None:
    runtime = RuntimeConfig(abi_versions=(V541, V097), root_ids=("add_header",))
    config = Descriptor.of(WasmType.SOLO_CONFIG, runtime.to_bytes())
    filter_ = Descriptor(WasmType.SOLO_MODULE, Digest.of(b""), 12527)
    assert len(solo.manifest(config, filter_, runtime).raw) == 893


@pytest.mark.parametrize("flavor", sorted(FLAVORS))
def test_what_is_packed_is_unpacked(flavor: str) -> None:
    contents = unpack(pack(MODULE, RUNTIME, flavor=flavor))
    assert (contents.flavor, contents.module, contents.runtime) == (flavor, MODULE, RUNTIME)


@pytest.mark.parametrize("flavor", sorted(FLAVORS))
def test_every_blob_is_what_its_descriptor_says(flavor: str) -> None:
    image = pack(MODULE, RUNTIME, flavor=flavor)
    assert {Digest.of(data) for data in image.blobs.values()} == set(image.blobs)
    assert [(blob.digest, blob.size) for blob in image.manifest.blobs] == [
        (digest, len(image.blobs[digest])) for digest in (blob.digest for blob in image.manifest.blobs)
    ]
    assert image.digest == Digest.of(image.manifest.raw)


@pytest.mark.parametrize(
    ("flavor", "digest"),
    [
        ("solo", "db3cfe46f555502ae5f2432784c6154ec50312420e83ebb2c5cdb92d465b786e"),
        ("cncf", "f14ca2ceccfb2f275e1ae6a8309d070890ff78a9b946bb66ab97f6f871003a0d"),
    ],
)
def test_the_same_module_is_the_same_image_on_every_machine(flavor: str, digest: str) -> None:
    assert pack(MODULE, RUNTIME, flavor=flavor).digest.hex == digest


def test_compat_is_the_same_archive_on_every_machine_and_the_same_image_on_this_one() -> None:
    # How the archive is compressed is the linked zlib's business.
    first, second = (pack(MODULE, RUNTIME, flavor="compat") for _ in range(2))
    assert first == second
    archive = gzip.decompress(first.blob(first.manifest.layers[0]))
    assert Digest.of(archive).hex == "618f46e326912dcb8095cb9c841721a733d670b9e09ea0a402153f6a0ff2a090"


def test_solo_lists_the_config_twice_and_the_module_raw() -> None:
    manifest = pack(MODULE, RUNTIME, flavor="solo").manifest
    assert [layer.media_type for layer in manifest.layers] == [
        "application/vnd.module.wasm.config.v1+json",
        "application/vnd.module.wasm.content.layer.v1+wasm",
    ]
    assert manifest.layers[0] == manifest.config
    assert manifest.layers[1].digest == Digest.of(MODULE)


def test_compat_is_a_container_image_that_docker_istio_and_harbor_take() -> None:
    image = pack(MODULE, RUNTIME, flavor="compat")
    document = json.loads(image.manifest.raw)
    assert document["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
    assert document["annotations"] == {
        "module.wasm.image/variant": "compat",
        "module.wasm.runtime/abi_version": "v0.2.1",
        "module.wasm.runtime/type": "envoy_proxy",
    }
    (layer,) = image.manifest.layers
    assert layer.media_type == "application/vnd.oci.image.layer.v1.tar+gzip"
    packed = image.blobs[layer.digest]
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        entries = [(entry.name, entry.mode, entry.uid, entry.gid, entry.mtime) for entry in archive]
    assert entries == [("plugin.wasm", 0o644, 0, 0, 0), ("runtime-config.json", 0o644, 0, 0, 0)]
    assert packed[4:8] == b"\0\0\0\0", "no date in the gzip header"
    config = json.loads(image.blobs[image.manifest.config.digest])
    assert config == {
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [str(Digest.of(gzip.decompress(packed)))]},
    }


def test_cncf_follows_the_layout_of_the_working_group() -> None:
    image = pack(MODULE, RUNTIME, flavor="cncf")
    assert image.manifest.config.media_type == "application/vnd.wasm.config.v0+json"
    assert [(layer.media_type, layer.digest) for layer in image.manifest.layers] == [
        ("application/wasm", Digest.of(MODULE))
    ]
    assert json.loads(image.blobs[image.manifest.config.digest]) == {
        "created": "1970-01-01T00:00:00Z",
        "architecture": "wasm",
        "os": "wasip1",
        "layerDigests": [str(Digest.of(MODULE))],
    }
    assert image.manifest.annotations["dev.weft.runtime-config"] == RUNTIME.to_bytes().decode()


@pytest.mark.parametrize("flavor", sorted(FLAVORS))
def test_the_manifest_alone_tells_the_flavor(flavor: str) -> None:
    manifest = Manifest.parse(pack(MODULE, RUNTIME, flavor=flavor).manifest.raw)
    assert [name for name, one in FLAVORS.items() if one.claims(manifest)] == [flavor]
    where = FLAVORS[flavor].module_of(manifest)
    assert (where.digest if where else None) == (None if flavor == "compat" else Digest.of(MODULE))


def test_a_flavor_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        pack(MODULE, RUNTIME, flavor="docker")
    assert str(caught.value) == "there is no flavor 'docker'"
    assert caught.value.hint == "one of cncf, compat, solo"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param(b"", "what should be packed is not WebAssembly: it begins with nothing", id="empty"),
        pytest.param(
            b"\x7fELF\1\1", "what should be packed is not WebAssembly: it begins with 7f 45 4c 46", id="elf"
        ),
        pytest.param(
            b"\0asm\x0d\0\1\0",
            "what should be packed is a WebAssembly component; proxies run core modules only",
            id="component",
        ),
        pytest.param(
            b"\0asm\2\0\0\0",
            "what should be packed has WebAssembly version 02 00 00 00, not 01 00 00 00",
            id="version 2",
        ),
        pytest.param(
            b"\0asm", "what should be packed has WebAssembly version , not 01 00 00 00", id="cut off"
        ),
    ],
)
def test_only_modules_are_packed(content: bytes, complaint: str) -> None:
    with pytest.raises(ImageInvalid) as caught:
        pack(content, RUNTIME)
    assert str(caught.value) == complaint


def test_a_module_that_istio_would_refuse_is_not_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weft.image.packing.MAX_MODULE_BYTES", 100)
    assert pack(module(100), RUNTIME).manifest.layers[1].size == 100
    with pytest.raises(ImageInvalid, match="the module has 101 bytes; Istio takes 100 at most"):
        pack(module(101), RUNTIME)
