"""`--verify-key` and `--verify-policy`: what is used is what was verified, or nothing is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import Result, Weft
from modules import sample_images
from weft.image import Image
from weft.oci import Reference
from weft.signing import PrivateKey
from weft.store import Store
from worlds.registry import RegistryWorld, registry_in_thread

TEAM, STRANGER = PrivateKey.generate("ed25519"), PrivateKey.generate("ed25519")
OLD, NEW = sample_images.sample(sample_images.module(500)), sample_images.sample(sample_images.module(600))


class Shop:
    """A registry with a signed image ``team/f:v1``, and a person with both public keys."""

    def __init__(self, weft: Weft, world: RegistryWorld, folder: Path, home: Path) -> None:
        self.world, self.folder, self._weft = world, folder, weft
        self.store = Store(home / "store")
        self.image = f"{world.host}/team/f:v1"
        for name, key in (("team", TEAM), ("stranger", STRANGER)):
            (folder / f"{name}.key").write_bytes(key.to_pem(b"secret"))
            (folder / f"{name}.pub").write_bytes(key.public.to_pem())
        self.key, self.stranger = (
            ("--verify-key", folder / "team.pub"),
            ("--verify-key", folder / "stranger.pub"),
        )
        self.publish(OLD)
        assert self("sign", self.image, "--key", folder / "team.key").code == 0

    def __call__(self, *words: str | Path) -> Result:
        return self._weft(*words, WEFT_KEY_PASSWORD="secret", WEFT_REGISTRY_PLAIN_HTTP=self.world.host)

    def publish(self, image: Image) -> None:
        for data in image.blobs.values():
            self.world.add_blob("team/f", data)
        self.world.add_manifest("team/f", "v1", image.manifest.raw, image.manifest.media_type)

    def stored(self) -> list[str]:
        return [str(entry.reference) for entry in self.store.entries()]


@pytest.fixture
def shop(weft: Weft, tmp_path: Path, home: Path) -> Iterator[Shop]:
    with registry_in_thread() as world:
        yield Shop(weft, world, tmp_path, home)


def refused(result: Result) -> None:
    """With the code for it, and a reason."""
    assert (result.code, result.out) == (7, "")
    assert "is refused: a signature of one of" in result.err


class TestPull:
    """Into the store and into a folder."""

    def test_a_signed_image_comes_under_its_own_name(self, shop: Shop) -> None:
        result = shop("pull", shop.image, *shop.key)
        assert result.code == 0, result.err
        assert shop.stored() == [shop.image]

    def test_a_strangers_signature_is_not_enough_and_no_blob_is_fetched(self, shop: Shop) -> None:
        refused(shop("pull", shop.image, *shop.stranger))
        assert shop.stored() == []
        module = OLD.manifest.layers[-1].digest
        assert shop.world.requests("GET", f"/blobs/{module}") == []

    def test_a_moved_tag_is_refused_until_it_is_signed_anew(self, shop: Shop) -> None:
        shop.publish(NEW)
        refused(shop("pull", shop.image, *shop.key))
        assert shop("pull", f"{shop.image}@{OLD.digest}", *shop.key).code == 0
        assert shop.store.get(Reference.parse(shop.image)).digest == OLD.digest

    def test_files_come_only_when_signed(self, shop: Shop) -> None:
        refused(shop("pull", shop.image, "--to", shop.folder / "out", *shop.stranger))
        assert not (shop.folder / "out").exists()
        assert shop("pull", shop.image, "--to", shop.folder / "out", *shop.key).code == 0

    def test_a_policy_says_which_images_need_what(self, shop: Shop) -> None:
        policy = shop.folder / "policy.yaml"
        policy.write_text(
            f"keys: {{team: team.pub}}\nrules: [{{images: '{shop.world.host}/**', anyOf: [team]}}]"
        )
        assert shop("pull", shop.image, "--verify-policy", policy).code == 0
        policy.write_text("keys: {}\nrules: [{images: 'hub.example.com/**', unsigned: true}]")
        assert shop("pull", shop.image, "--verify-policy", policy).code == 7


class TestCopy:
    """Through a file to where there is no network."""

    def test_signatures_are_checked_on_the_way_out_and_in(self, shop: Shop) -> None:
        bundle = shop.folder / "bundle.tar"
        refused(shop("copy", shop.image, bundle, *shop.stranger))
        assert not bundle.exists()
        assert shop("copy", shop.image, bundle, *shop.key).code == 0
        refused(shop("copy", bundle, "store:air.example.com/team/f:v1", *shop.stranger))
        assert shop.stored() == []
        assert shop("copy", bundle, "store:air.example.com/team/f:v1", *shop.key).code == 0
        assert shop.stored() == ["air.example.com/team/f:v1"]

    def test_a_bundle_without_signatures_is_refused(self, shop: Shop) -> None:
        bundle = shop.folder / "bundle.tar"
        assert shop("copy", "--bare", shop.image, bundle).code == 0
        refused(shop("copy", bundle, "store:air.example.com/team/f:v1", *shop.key))

    def test_an_image_of_the_store_is_judged_by_its_registry(self, shop: Shop) -> None:
        shop.store.put(Reference.parse(shop.image), NEW)
        refused(shop("copy", f"store:{shop.image}", shop.folder / "b.tar", *shop.key))
        shop.store.put(Reference.parse(shop.image), OLD)
        assert shop("copy", f"store:{shop.image}", shop.folder / "b.tar", *shop.key).code == 0


class TestRun:
    """`weft run` and `weft deploy envoy`; the bootstrap shows what would be run."""

    @pytest.mark.parametrize("command", [["run"], ["deploy", "envoy"]])
    def test_what_the_store_has_is_judged_not_what_the_tag_means_elsewhere(
        self, shop: Shop, command: list[str]
    ) -> None:
        words = [*command, shop.image, "--out", "-"]
        shop.store.put(Reference.parse(shop.image), OLD)
        shop.publish(NEW)
        allowed = shop(*words, *shop.key)
        assert allowed.code == 0, allowed.err
        assert "filters.http.wasm.v3.Wasm" in allowed.out
        refused(shop(*words, *shop.stranger))
        shop.store.put(Reference.parse(shop.image), NEW)
        refused(shop(*words, *shop.key))

    def test_what_is_no_image_cannot_be_signed(self, shop: Shop) -> None:
        module = shop.folder / "filter.wasm"
        module.write_bytes(sample_images.MODULE)
        for source in (module, shop.folder):
            result = shop("run", source, "--out", "-", *shop.key)
            assert (result.code, result.err) == (
                2,
                f"error: {source} is not an image, so nobody can have signed it\n",
            )


@pytest.mark.parametrize(
    "words",
    [["pull", "x.y/f:v1"], ["copy", "x.y/f:v1", "b.tar"], ["run", "x.y/f:v1"]],
    ids=lambda words: words[0],
)
def test_a_key_and_a_policy_exclude_each_other(weft: Weft, words: list[str]) -> None:
    result = weft(*words, "--verify-key", "a", "--verify-policy", "b")
    assert (result.code, result.err) == (2, "error: --verify-key and --verify-policy exclude each other\n")
