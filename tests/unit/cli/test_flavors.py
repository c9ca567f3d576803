"""`push --flavor` and `--also`, and `check --consumers`: one module for everybody."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import Result, Weft
from modules import sample_images
from weft.image import unpack
from weft.oci import Reference
from weft.store import Store
from worlds.registry import RegistryWorld, registry_in_thread


class Desk:
    """An image ``team/f:v1`` in the store, and a registry to publish it in."""

    def __init__(self, weft: Weft, world: RegistryWorld, home: Path) -> None:
        self._weft, self.world, self.store = weft, world, Store(home / "store")
        self.name = f"{world.host}/team/f"
        self.image = sample_images.sample()
        self.store.put(Reference.parse(f"{self.name}:v1"), self.image)

    def __call__(self, *words: str | Path) -> Result:
        return self._weft(*words, WEFT_REGISTRY_PLAIN_HTTP=self.world.host)

    def takers(self, tag: str) -> set[str]:
        """Who takes what the registry has at a tag."""
        result = self("check", f"{self.name}:{tag}", "--consumers", "-o", "json")
        assert result.code == 0, result.err
        document = json.loads(result.out)
        return {entry["consumer"] for entry in document["consumers"] if entry["accepts"]}


@pytest.fixture
def desk(weft: Weft, home: Path) -> Iterator[Desk]:
    with registry_in_thread() as world:
        yield Desk(weft, world, home)


def test_an_image_is_published_in_the_flavor_that_is_asked_for(desk: Desk) -> None:
    assert desk("push", f"{desk.name}:v1", "--flavor", "compat").code == 0
    assert desk("pull", f"{desk.name}:v1").code == 0
    contents = unpack(desk.store.get(Reference.parse(f"{desk.name}:v1")))
    assert (contents.flavor, contents.module) == ("compat", sample_images.MODULE)
    assert contents.runtime == sample_images.RUNTIME


def test_the_same_flavor_is_the_same_image(desk: Desk) -> None:
    result = desk("push", f"{desk.name}:v1", "--flavor", "solo", "-o", "json")
    assert json.loads(result.out)["digest"] == str(desk.image.digest)


def test_others_stand_beside_it_for_whoever_can_only_name_a_tag(desk: Desk) -> None:
    result = desk("push", f"{desk.name}:v1", "--also", "compat,cncf", "-o", "json")
    assert result.code == 0, result.err
    pushed = [json.loads(line)["reference"] for line in result.out.splitlines()]
    assert pushed == [f"{desk.name}:v1", f"{desk.name}:v1-compat", f"{desk.name}:v1-cncf"]
    desk("rm", f"{desk.name}:v1")  # else the one in the store is asked about
    istio = {"Istio", "Envoy Gateway", "ORAS"}
    assert desk.takers("v1") == istio | {"wasme", "Gloo Edge"}
    assert desk.takers("v1-compat") == istio
    assert desk.takers("v1-cncf") == {"wkg", "ORAS"}


def test_they_are_found_from_the_image_and_copied_with_it(desk: Desk, tmp_path: Path) -> None:
    desk("push", f"{desk.name}:v1", "--also", "compat")
    found = json.loads(desk("discover", f"{desk.name}:v1", "-o", "json").out)
    (sibling,) = found["referrers"]
    assert sibling["annotations"]["dev.weft.flavor"] == "compat"
    assert desk("copy", f"{desk.name}:v1", tmp_path / "b.tar").code == 0
    assert desk("copy", tmp_path / "b.tar", f"{desk.world.host}/far/f:v1").code == 0
    assert ("far/f", sibling["digest"]) in desk.world.manifests


def test_again_changes_nothing(desk: Desk) -> None:
    first = desk("push", f"{desk.name}:v1", "--also", "compat,cncf", "-o", "json").out
    again = desk("push", f"{desk.name}:v1", "--also", "compat,cncf", "-o", "json").out
    digests = [[json.loads(line)["digest"] for line in out.splitlines()] for out in (first, again)]
    assert digests[0] == digests[1]
    assert all(json.loads(line)["blobs"]["copied"] == 0 for line in again.splitlines())


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        pytest.param(["--also", "solo"], "the image is of flavor solo already", id="the same twice"),
        pytest.param(["--also", "tar"], "there is no flavor 'tar'", id="an unknown one"),
        pytest.param(["--flavor", "tar"], "'tar' is not one of", id="an unknown main one"),
    ],
)
def test_a_flavor_that_cannot_be_is_named_and_nothing_is_published(
    desk: Desk, words: list[str], complaint: str
) -> None:
    result = desk("push", f"{desk.name}:v1", *words)
    assert result.code == 2
    assert complaint in result.err
    assert desk.world.manifests == {}


def test_check_shows_a_line_and_the_error_for_each(desk: Desk) -> None:
    result = desk("check", f"{desk.name}:v1", "--consumers")
    assert result.err == f"{desk.image.digest} in store\n"
    assert result.out.splitlines() == [
        "ok    Istio          1.16 and later; Higress",
        "ok    Istio          1.12 to 1.15",
        "ok    Envoy Gateway  1.1 and later",
        "ok    wasme          its CLI, operator and cache",
        "ok    Gloo Edge      which pulls as wasme does",
        "FAIL  wkg            and what builds on oci-wasm",
        "      Wasm components must have exactly one layer",
        "ok    ORAS           pull",
    ]


def test_an_image_that_is_nowhere_is_not_found(desk: Desk) -> None:
    result = desk("check", f"{desk.name}:v9", "--consumers")
    assert (result.code, result.err.splitlines()[0]) == (4, f"error: {desk.name}:v9 does not exist")
