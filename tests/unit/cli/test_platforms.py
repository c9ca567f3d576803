"""`--platform`: one image of an index that has several."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import Result, Weft
from modules import sample_images
from weft.image import Image
from weft.oci import Digest, MediaType, Reference, compact_json
from weft.store import Store
from worlds.registry import RegistryWorld, registry_in_thread

PLATFORMS = {"wasi/wasm": b"w", "linux/amd64": b"x", "linux/arm64/v8": b"a"}
IMAGES = {name: sample_images.sample(sample_images.module(100, fill)) for name, fill in PLATFORMS.items()}


class Shelf:
    """A registry with an index ``team/f:v1``, and a person who fetches from it."""

    def __init__(self, weft: Weft, world: RegistryWorld, home: Path) -> None:
        self._weft, self.world, self.store = weft, world, Store(home / "store")
        self.name = f"{world.host}/team/f:v1"
        entries = [self._publish(image, *name.split("/")) for name, image in IMAGES.items()]
        raw = compact_json({"schemaVersion": 2, "mediaType": MediaType.OCI_INDEX, "manifests": entries})
        self.index = Digest.parse(world.add_manifest("team/f", "v1", raw, MediaType.OCI_INDEX))

    def _publish(self, image: Image, os: str, architecture: str, variant: str = "") -> dict[str, object]:
        for data in image.blobs.values():
            self.world.add_blob("team/f", data)
        manifest = image.manifest
        self.world.add_manifest("team/f", str(manifest.digest), manifest.raw, manifest.media_type)
        platform = {"os": os, "architecture": architecture} | ({"variant": variant} if variant else {})
        return manifest.descriptor.to_json() | {"platform": platform}

    def __call__(self, *words: str | Path) -> Result:
        return self._weft(*words, WEFT_REGISTRY_PLAIN_HTTP=self.world.host)

    def stored(self, name: str = "") -> Digest:
        return self.store.find(Reference.parse(name or self.name)).digest


@pytest.fixture
def shelf(weft: Weft, home: Path) -> Iterator[Shelf]:
    with registry_in_thread() as world:
        yield Shelf(weft, world, home)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_pull_takes_the_one_that_is_asked_for(shelf: Shelf, platform: str) -> None:
    assert shelf("pull", shelf.name, "--platform", platform).code == 0
    assert shelf.stored() == IMAGES[platform].digest


def test_without_it_wasm_comes_under_the_indexs_own_digest(shelf: Shelf) -> None:
    assert shelf("pull", shelf.name).code == 0
    assert shelf.stored() == shelf.index
    assert shelf.store.get(Reference.parse(shelf.name)).digest == IMAGES["wasi/wasm"].digest


def test_the_digest_of_the_index_is_a_pin(shelf: Shelf) -> None:
    pinned = f"{shelf.world.host}/team/f@{shelf.index}"
    assert shelf("pull", pinned).code == 0
    assert shelf.stored(pinned) == shelf.index
    assert shelf("run", pinned, "--out", "-").code == 0


def test_copy_takes_one_or_all(shelf: Shelf, tmp_path: Path) -> None:
    far = f"{shelf.world.host}/far/f:v1"
    assert shelf("copy", shelf.name, far, "--platform", "linux/arm64/v8").code == 0
    raw, _ = shelf.world.manifests["far/f", "v1"]
    assert Digest.of(raw) == IMAGES["linux/arm64/v8"].digest
    assert shelf("copy", shelf.name, tmp_path / "b.tar").code == 0
    assert shelf("copy", tmp_path / "b.tar", f"store:{far}", "--platform", "linux/amd64").code == 0
    assert shelf.stored(far) == IMAGES["linux/amd64"].digest


def test_files_come_from_the_one_that_is_asked_for(shelf: Shelf, tmp_path: Path) -> None:
    assert shelf("pull", shelf.name, "--to", tmp_path / "out", "--platform", "linux/amd64").code == 0
    assert (tmp_path / "out" / "filter.wasm").read_bytes() == sample_images.module(100, b"x")


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        pytest.param(
            ["--platform", "linux/s390x"],
            1,
            "has no image for linux/s390x; its platforms: wasi/wasm, linux/amd64, linux/arm64/v8",
            id="none of it",
        ),
        pytest.param(["--platform", "linux"], 2, "'linux' is no platform", id="half of one"),
        pytest.param(["--platform", "a/b/c/d"], 2, "'a/b/c/d' is no platform", id="too much of one"),
    ],
)
def test_a_platform_that_cannot_be_is_answered_with_those_there_are(
    shelf: Shelf, words: list[str], code: int, complaint: str
) -> None:
    for command in (["pull", shelf.name], ["copy", shelf.name, "store:x.y/f:v1"]):
        result = shelf(*command, *words)
        assert result.code == code
        assert complaint in result.err
    assert shelf.store.entries() == []


def test_one_image_is_for_any_platform(shelf: Shelf) -> None:
    one = f"{shelf.world.host}/team/f@{IMAGES['linux/amd64'].digest}"
    for command in (["pull", one], ["copy", one, "store:x.y/f:v1"]):
        result = shelf(*command, "--platform", "linux/amd64")
        assert result.code == 2
        assert "is one image, for any platform" in result.err
