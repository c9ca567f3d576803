"""login, push, pull, copy, attach, list --published and their inverses, as a person uses them."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import Result, Weft
from weft.image import RuntimeConfig, pack
from weft.oci import Reference
from weft.store import Store
from worlds.registry import RegistryWorld, registry_in_thread

MODULE = b"\0asm\1\0\0\0" * 100
CONFIG_TYPE = "application/vnd.module.wasm.config.v1+json"
LAYER_TYPE = "application/vnd.module.wasm.content.layer.v1+wasm"


@pytest.fixture
def world() -> Iterator[RegistryWorld]:
    with registry_in_thread() as world:
        yield world


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with files to publish, where the user stands."""
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "filter.wasm").write_bytes(MODULE)
    (folder / "runtime-config.json").write_text('{"type":"envoy_proxy"}')
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(autouse=True)
def env(env: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """No password of whoever runs the tests is looked at."""
    kept = {name: value for name, value in env.items() if not name.startswith(("XDG_", "DOCKER_"))}
    return kept | {"HOME": str(tmp_path / "user")}


def keep(home: Path, name: str) -> str:
    """An image in the store; its digest."""
    return str(Store(home / "store").put(Reference.parse(name), pack(MODULE, RuntimeConfig())))


def said(result: Result) -> dict[str, object]:
    """The one JSON line."""
    assert result.code == 0, result.err
    (line,) = result.out.splitlines()
    document = json.loads(line)
    assert isinstance(document, dict)
    return document


class TestPushAndPull:
    """Images of the store."""

    def test_an_image_goes_out_and_comes_back(
        self, weft: Weft, world: RegistryWorld, home: Path, tmp_path: Path
    ) -> None:
        name = f"{world.host}/team/f:v1"
        digest = keep(home, name)
        pushed = weft("push", name)
        assert pushed.code == 0
        assert pushed.out == ""
        assert pushed.err.startswith(f"Pushed {name} (")
        assert pushed.err.endswith(f"Digest: {digest}\n")
        other = {"WEFT_STORE": str(tmp_path / "other")}
        assert weft("pull", name, **other).err.endswith(f"Digest: {digest}\n")
        image = Store(tmp_path / "other").get(Reference.parse(name))
        assert MODULE in image.blobs.values()

    def test_a_script_gets_one_json_line(self, weft: Weft, world: RegistryWorld, home: Path) -> None:
        name = f"{world.host}/team/f:v1"
        digest = keep(home, name)
        first = said(weft("push", name, "-o", "json"))
        size = first.pop("bytes")
        assert first == {
            "reference": name,
            "digest": digest,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "blobs": {"copied": 2, "there": 0, "mounted": 0},
        }
        assert isinstance(size, int)
        assert size > len(MODULE)
        again = said(weft("push", name, "-o", "json"))
        assert (again["bytes"], again["blobs"]) == (0, {"copied": 0, "there": 2, "mounted": 0})

    def test_another_name_may_be_given(self, weft: Weft, world: RegistryWorld, home: Path) -> None:
        digest = keep(home, "local/f:dev")
        assert weft("push", "local/f:dev", "--as", f"{world.host}/team/f:v1").code == 0
        assert ("team/f", "v1") in world.manifests
        assert ("team/f", digest) in world.manifests

    def test_a_digest_is_honoured(self, weft: Weft, world: RegistryWorld, home: Path, tmp_path: Path) -> None:
        name = f"{world.host}/team/f"
        digest = keep(home, f"{name}:v1")
        weft("push", f"{name}:v1")
        world.manifests["team/f", "v1"] = (b"{}", "application/json")  # somebody moved the tag
        other = {"WEFT_STORE": str(tmp_path / "other")}
        assert said(weft("pull", f"{name}:v1@{digest}", "-o", "json", **other))["digest"] == digest
        assert said(weft("pull", f"{name}@{digest}", "-o", "json", **other))["digest"] == digest
        gone = weft("pull", f"{name}@sha256:{'0' * 64}", **other)
        assert (gone.code, gone.err) == (4, f"error: {name}@sha256:{'0' * 64} does not exist\n")

    def test_what_is_not_in_the_store_is_not_pushed(self, weft: Weft, world: RegistryWorld) -> None:
        result = weft("push", f"{world.host}/team/f:v1")
        assert result.code == 4
        assert result.err.startswith(f"error: image {world.host}/team/f:v1 not found")
        assert world.seen == []

    def test_verbose_says_what_became_of_each_blob(
        self, weft: Weft, world: RegistryWorld, home: Path
    ) -> None:
        keep(home, f"{world.host}/team/f:v1")
        lines = weft("-v", "push", f"{world.host}/team/f:v1").err.splitlines()
        assert [line.split()[0] for line in lines[:2]] == ["copied", "copied"]

    def test_an_index_keeps_its_digest(
        self, weft: Weft, world: RegistryWorld, home: Path, tmp_path: Path
    ) -> None:
        name = f"{world.host}/team/f"
        child = keep(home, f"{name}:v1")
        weft("push", f"{name}:v1")
        size = len(world.manifests["team/f", child][0])
        entry = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": child, "size": size}
        kind = "application/vnd.oci.image.index.v1+json"
        index = {"schemaVersion": 2, "mediaType": kind, "manifests": [entry]}
        digest = world.add_manifest("team/f", "all", json.dumps(index).encode(), kind)
        other = {"WEFT_STORE": str(tmp_path / "other")}
        assert said(weft("pull", f"{name}:all", "-o", "json", **other))["digest"] == digest
        (row,) = json.loads(weft("list", "-o", "json", **other).out)
        assert (row["digest"], row["problem"]) == (digest, None)


@pytest.mark.usefixtures("here")
class TestFiles:
    """ORAS's own form."""

    @pytest.fixture
    def pushed(self, weft: Weft, world: RegistryWorld) -> str:
        name = f"{world.host}/asm/asm-test:v0.1"
        config = f"runtime-config.json:{CONFIG_TYPE}"
        result = weft("push", name, "--manifest-config", config, f"filter.wasm:{LAYER_TYPE}")
        assert result.code == 0, result.err
        return name

    def test_files_go_out_and_come_back(self, weft: Weft, pushed: str, tmp_path: Path) -> None:
        result = weft("pull", pushed, "--to", tmp_path / "out")
        assert result.code == 0
        assert result.err.startswith(f"wrote {tmp_path}/out/filter.wasm\nPulled {pushed} (800 B moved)\n")
        assert (tmp_path / "out/filter.wasm").read_bytes() == MODULE
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["filter.wasm"]
        document = said(weft("pull", pushed, "--to", tmp_path / "out", "-o", "json"))
        assert document["files"] == [f"{tmp_path}/out/filter.wasm"]

    def test_what_oras_pushed_is_an_image_of_the_store(self, weft: Weft, pushed: str) -> None:
        assert weft("pull", pushed).code == 0
        (row,) = json.loads(weft("list", "-o", "json").out)
        assert (row["reference"], row["module"]["size"], row["problem"]) == (pushed, 800, None)

    def test_a_wasme_image_comes_with_its_config(
        self, weft: Weft, world: RegistryWorld, home: Path, tmp_path: Path
    ) -> None:
        keep(home, f"{world.host}/team/f:v1")
        weft("push", f"{world.host}/team/f:v1")
        weft("pull", f"{world.host}/team/f:v1", "--to", tmp_path / "out")
        names = sorted(path.name for path in (tmp_path / "out").iterdir())
        assert names == ["filter.wasm", "runtime-config.json"]

    @pytest.mark.parametrize("title", ["../evil", "/evil", "a/../../evil", ".."])
    def test_a_name_that_leads_out_writes_nothing(
        self, weft: Weft, world: RegistryWorld, tmp_path: Path, title: str
    ) -> None:
        digest = world.add_blob("team/f", MODULE)
        layer = {"mediaType": "a/b", "digest": digest, "size": len(MODULE)}
        layer["annotations"] = {"org.opencontainers.image.title": title}
        manifest = {"schemaVersion": 2, "config": layer, "layers": [layer]}
        kind = "application/vnd.oci.image.manifest.v1+json"
        world.add_manifest("team/f", "v1", json.dumps(manifest).encode(), kind)
        result = weft("pull", f"{world.host}/team/f:v1", "--to", tmp_path / "deep/out")
        assert (result.code, result.out) == (1, "")
        assert result.err == f"error: the artifact names a file {title!r}; nothing was written\n"
        assert list((tmp_path / "deep").rglob("*")) == [tmp_path / "deep/out"]

    def test_parts_without_names_are_said_to_have_none(
        self, weft: Weft, world: RegistryWorld, home: Path, tmp_path: Path
    ) -> None:
        image = pack(MODULE, RuntimeConfig(), flavor="compat")
        Store(home / "store").put(Reference.parse(f"{world.host}/team/f:v1"), image)
        weft("push", f"{world.host}/team/f:v1")
        result = weft("pull", f"{world.host}/team/f:v1", "--to", tmp_path / "out")
        assert result.code == 4
        assert result.err.startswith(f"error: no part of {world.host}/team/f:v1 has a file name\n")

    @pytest.mark.parametrize(
        ("words", "complaint"),
        [
            (
                ["--artifact-type", "a/b"],
                "--manifest-config, --artifact-type and -a are for files; none is named",
            ),
            (["nope.wasm:a/b"], "there is no file nope.wasm"),
            (["filter.wasm", "-a", "novalue"], "'novalue' is no annotation"),
            (["filter.wasm", "--as", "x/y"], "--as is for images of the store; name the artifact as REF"),
        ],
    )
    def test_a_mistake_asks_no_registry(
        self, weft: Weft, world: RegistryWorld, words: list[str], complaint: str
    ) -> None:
        result = weft("push", f"{world.host}/team/f:v1", *words)
        assert result.code == 2
        assert result.err.startswith(f"error: {complaint}\n")
        assert world.seen == []


@pytest.mark.usefixtures("here")
class TestAttachments:
    """attach and discover."""

    @pytest.mark.parametrize("referrers", [True, False], ids=["with the API", "with a tag"])
    def test_what_is_attached_is_discovered(
        self, weft: Weft, world: RegistryWorld, home: Path, referrers: bool
    ) -> None:
        world.referrers = referrers
        name = f"{world.host}/team/f"
        digest = keep(home, f"{name}:v1")
        weft("push", f"{name}:v1")
        bare = weft("discover", f"{name}:v1")
        assert (bare.out, bare.err) == (f"{name}@{digest}\n", "nothing is attached to it\n")
        words = ("--artifact-type", "application/vnd.readme", "-a", "who=me", "-o", "json")
        attached = said(weft("attach", f"{name}:v1", "runtime-config.json:a/b", *words))
        assert attached["reference"] == f"{name}@{attached['digest']}"
        found = weft("discover", f"{name}:v1")
        assert found.out == f"{name}@{digest}\n└── application/vnd.readme {attached['digest']}\n"
        document = json.loads(weft("discover", f"{name}:v1", "-o", "json").out)
        assert (document["reference"], document["digest"]) == (f"{name}:v1", digest)
        (only,) = document["referrers"]
        assert (only["artifactType"], only["annotations"]) == ("application/vnd.readme", {"who": "me"})
        none = json.loads(weft("discover", f"{name}:v1", "-o", "json", "--artifact-type", "x/y").out)
        assert none["referrers"] == []

    def test_nothing_is_attached_to_nothing(self, weft: Weft, world: RegistryWorld) -> None:
        result = weft("attach", f"{world.host}/team/f:v1", "filter.wasm", "--artifact-type", "a/b")
        assert (result.code, result.err) == (4, f"error: {world.host}/team/f:v1 does not exist\n")


@pytest.mark.usefixtures("here")
class TestCopy:
    """Between registries, files and the store."""

    @pytest.fixture
    def source(self, weft: Weft, world: RegistryWorld, home: Path) -> str:
        """An image with something attached, in a registry."""
        name = f"{world.host}/team/f:v1"
        keep(home, name)
        weft("push", name)
        weft("attach", name, "runtime-config.json:a/b", "--artifact-type", "application/vnd.readme")
        return name

    def discovered(self, weft: Weft, name: str) -> list[str]:
        document = json.loads(weft("discover", name, "-o", "json").out)
        return [each["artifactType"] for each in document["referrers"]]

    def test_to_a_neighbour_it_is_mounted(self, weft: Weft, world: RegistryWorld, source: str) -> None:
        target = f"{world.host}/other/f:v2"
        document = said(weft("copy", source, target, "-o", "json"))
        assert (document["blobs"], document["bytes"]) == ({"copied": 0, "there": 0, "mounted": 3}, 0)
        assert self.discovered(weft, target) == ["application/vnd.readme"]

    def test_to_another_registry_everything_comes_along(self, weft: Weft, source: str) -> None:
        with registry_in_thread(RegistryWorld(referrers=False)) as other:
            assert weft("copy", source, f"{other.host}/x/y:z").code == 0
            assert self.discovered(weft, f"{other.host}/x/y:z") == ["application/vnd.readme"]
            assert weft("copy", "--bare", source, f"{other.host}/bare/f:z").code == 0
            assert self.discovered(weft, f"{other.host}/bare/f:z") == []

    def test_through_a_file_everything_comes_along(self, weft: Weft, source: str, here: Path) -> None:
        out = weft("copy", source, "bundle.tar")
        assert out.code == 0
        assert out.err.startswith("Copied bundle.tar (")
        with registry_in_thread() as other:
            back = said(weft("copy", "bundle.tar", f"{other.host}/x/y:z", "-o", "json"))
            assert str(back["digest"]) in out.err
            assert self.discovered(weft, f"{other.host}/x/y:z") == ["application/vnd.readme"]
        assert sorted(path.name for path in here.iterdir()) == [
            "bundle.tar", "filter.wasm", "runtime-config.json",
        ]  # fmt: skip

    def test_from_the_store_and_into_it(self, weft: Weft, home: Path, tmp_path: Path) -> None:
        digest = keep(home, "team/f:v1")
        assert weft("copy", "store:team/f:v1", "bundle.tar").code == 0
        other = {"WEFT_STORE": str(tmp_path / "other")}
        assert said(weft("copy", "./bundle.tar", "store:x/y:z", "-o", "json", **other))["digest"] == digest
        assert MODULE in Store(tmp_path / "other").get(Reference.parse("x/y:z")).blobs.values()

    def test_a_digest_gives_the_archive_its_name(self, weft: Weft, world: RegistryWorld, home: Path) -> None:
        digest = keep(home, f"{world.host}/team/f:v1")
        weft("push", f"{world.host}/team/f:v1")
        assert weft("copy", f"{world.host}/team/f@{digest}", "bundle.tar").code == 0
        assert said(weft("copy", "bundle.tar", "store:x/y:z", "-o", "json"))["digest"] == digest

    @pytest.mark.parametrize(
        ("places", "code", "complaint"),
        [
            (["store:a", "store:b"], 2, "both are in the store"),
            (["a.tar", "b.tar"], 2, "both are files"),
            (["nope.tar", "store:b"], 4, "there is no file nope.tar"),
            (["store:a/b:c", "x.tar"], 4, "image docker.io/a/b:c not found"),
            (["UPPER", "x.tar"], 2, "image reference 'UPPER'"),
        ],
    )
    def test_places_that_do_not_go_together_are_named(
        self, weft: Weft, here: Path, places: list[str], code: int, complaint: str
    ) -> None:
        result = weft("copy", *places)
        assert result.code == code
        assert result.err.startswith(f"error: {complaint}")
        assert not (here / "x.tar").exists()


class TestLogin:
    """Who we are."""

    @pytest.fixture(autouse=True)
    def guarded(self, world: RegistryWorld) -> None:
        world.auth = "token"

    def credentials(self, home: Path) -> dict[str, object]:
        document = json.loads((home / "credentials.json").read_text())
        assert isinstance(document["auths"], dict)
        return document["auths"]

    def test_a_credential_that_is_believed_is_kept(
        self, weft: Weft, world: RegistryWorld, home: Path
    ) -> None:
        result = weft("login", world.host, "-u", "me", "--password-stdin", stdin="secret\n")
        assert (result.code, result.out) == (0, "")
        assert result.err == (
            f"Successfully logged in as me\nstored credentials in {home}/credentials.json\n"
        )
        assert stat.S_IMODE((home / "credentials.json").stat().st_mode) == 0o600
        keep(home, f"{world.host}/team/f:v1")
        assert weft("push", f"{world.host}/team/f:v1").code == 0

    def test_one_that_is_not_is_not_kept(self, weft: Weft, world: RegistryWorld, home: Path) -> None:
        result = weft("login", "-s", world.host, "-u", "me", "--password-stdin", stdin="wrong\n")
        assert result.code == 1
        assert result.err == (
            f"error: GET {world.url}/token: 401 UNAUTHORIZED: incorrect username or password\n\n"
            "hint: the credential from the command line is wrong, or not enough for this\n"
        )
        assert not (home / "credentials.json").exists()

    def test_other_registries_stay(self, weft: Weft, world: RegistryWorld, home: Path) -> None:
        with registry_in_thread(RegistryWorld(auth="basic")) as other:
            for host in (world.host, other.host):
                assert weft("login", host, "-u", "me", "--password-stdin", stdin="secret").code == 0
            assert set(self.credentials(home)) == {world.host, other.host}
            assert weft("logout", world.host).err == f"logged out of {world.host}\n"
            assert set(self.credentials(home)) == {other.host}
            assert weft("logout", world.host).err == f"not logged in to {world.host}\n"

    def test_logging_out_says_who_else_remembers(
        self, weft: Weft, world: RegistryWorld, tmp_path: Path
    ) -> None:
        config = tmp_path / "user/.docker/config.json"
        config.parent.mkdir(parents=True)
        config.write_text(json.dumps({"auths": {world.host: {"auth": "bWU6c2VjcmV0"}}}))
        assert weft("logout", world.host).err == (
            f"not logged in to {world.host}\n"
            f"note: {config}: auths.{world.host} still has a credential for it\n"
        )
        assert "bWU6" in config.read_text()

    def test_a_password_on_the_command_line_is_warned_about(self, weft: Weft, world: RegistryWorld) -> None:
        result = weft("login", world.host, "-u", "me", "-p", "secret")
        assert result.err.startswith("warning: others on this machine can see --password")
        assert result.code == 0

    def test_a_registry_that_does_not_ask_is_said_not_to(self, weft: Weft, world: RegistryWorld) -> None:
        world.auth = ""
        words = ("login", world.host, "-u", "me", "--password-stdin")
        assert said(weft(*words, "-o", "json", stdin="x"))["checked"] is False
        result = weft(*words, stdin="x")
        assert result.err.startswith(
            f"note: {world.host} lets everybody in; the password could not be checked\n"
        )

    def test_a_script_gets_one_json_line(self, weft: Weft, world: RegistryWorld, home: Path) -> None:
        words = ("login", world.host, "-u", "me", "--password-stdin", "-o", "json")
        assert said(weft(*words, stdin="secret")) == {
            "server": world.host, "username": "me", "stored": f"{home}/credentials.json", "checked": True,
        }  # fmt: skip
        assert said(weft("logout", world.host, "-o", "json")) == {
            "server": world.host, "forgotten": True, "elsewhere": None,
        }  # fmt: skip

    def test_the_file_may_be_another(
        self, weft: Weft, world: RegistryWorld, home: Path, tmp_path: Path
    ) -> None:
        path = tmp_path / "mine.json"
        words = ("login", world.host, "-u", "me", "--password-stdin", "--credentials-file", path)
        assert weft(*words, stdin="secret").code == 0
        assert path.exists()
        assert not (home / "credentials.json").exists()

    @pytest.mark.parametrize(
        ("words", "complaint"),
        [
            pytest.param(
                [], "error: name the registry\n\nhint: weft login hub.example.com\n", id="no registry"
            ),
            pytest.param(
                ["hub.example.com/team", "-u", "x"],
                "error: 'hub.example.com/team' is not a registry\n\nhint: name its host: hub.example.com\n",
                id="a repository",
            ),
            pytest.param(
                ["hub.example.com"], "error: must specify username\n\nhint: add -u NAME\n", id="no name"
            ),
            pytest.param(
                ["hub.example.com", "-u", "me"],
                "error: must specify password\n\nhint: add --password-stdin\n",
                id="no password",
            ),
            pytest.param(
                ["hub.example.com", "-u", "me", "-p", "x", "--password-stdin"],
                "error: --password and --password-stdin exclude each other\n",
                id="two passwords",
            ),
        ],
    )
    def test_a_mistake_asks_no_registry(self, weft: Weft, words: list[str], complaint: str) -> None:
        result = weft("login", *words)
        assert (result.code, result.err) == (2, complaint)

    def test_without_a_login_the_way_in_is_named(self, weft: Weft, world: RegistryWorld, home: Path) -> None:
        keep(home, f"{world.host}/team/f:v1")
        result = weft("push", f"{world.host}/team/f:v1")
        assert result.code == 1
        assert result.err.endswith(f"\n\nhint: log in first: weft login {world.host}\n")

    def test_a_run_may_bring_its_own_password(self, weft: Weft, world: RegistryWorld, home: Path) -> None:
        keep(home, f"{world.host}/team/f:v1")
        assert weft("push", f"{world.host}/team/f:v1", "-u", "me", "-p", "secret").code == 0
        told = {
            "WEFT_REGISTRY_HOST": world.host,
            "WEFT_REGISTRY_USERNAME": "me",
            "WEFT_REGISTRY_PASSWORD": "secret",
        }
        assert weft("pull", f"{world.host}/team/f:v1", **told).code == 0
        result = weft("pull", f"{world.host}/team/f:v1", "-p", "secret")
        assert (result.code, result.err) == (
            2,
            "error: a password without a user name\n\nhint: add -u NAME\n",
        )


class TestPublished:
    """What a repository holds."""

    def test_tags_are_listed_like_images_of_this_machine(
        self, weft: Weft, world: RegistryWorld, home: Path
    ) -> None:
        name = f"{world.host}/team/f"
        digest = keep(home, f"{name}:v1")
        weft("push", f"{name}:v1")
        world.add_manifest("team/f", "broken", b"{", "application/json")
        kind = "application/vnd.oci.image.index.v1+json"
        index = json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": []}).encode()
        indexed = world.add_manifest("team/f", "index", index, kind)
        world.add_manifest("team/f", digest.replace(":", "-"), index, kind)
        world.add_manifest("team/f", digest.replace(":", "-") + ".sig", index, kind)
        result = weft("list", "--published", name)
        lines = [line.split() for line in result.out.splitlines()]
        assert lines[0] == ["NAME", "TAG", "SIZE", "SHA", "UPDATED"]
        assert lines[1] == [name, "broken", "-", "broken", "-"]
        assert lines[2] == [name, "index", "-", indexed[7:15], "-"]
        local = [line.split() for line in weft("list").out.splitlines()]
        assert lines[3][:3] == [name, "v1", "800"]
        assert lines[3][3:5] == local[1][3:5]  # unit and SHA: those of the module, here as there
        assert result.err.startswith(f"warning: {name}:broken is broken: manifest sha256:")
        rows = json.loads(weft("list", "--published", name, "-o", "json").out)
        assert [row["tag"] for row in rows] == ["broken", "index", "v1"]  # not the referrers tag of v1
        assert (rows[2]["digest"], rows[2]["flavor"], rows[2]["module"]["size"]) == (digest, "solo", 800)

    def test_a_repository_that_is_not_there_is_named(self, weft: Weft, world: RegistryWorld) -> None:
        result = weft("list", "--published", f"{world.host}/team/f")
        assert (result.code, result.err) == (4, f"error: there is no repository {world.host}/team/f\n")

    @pytest.mark.parametrize(
        ("words", "complaint"),
        [
            (["--published"], "error: name a repository\n"),
            (["team/f"], "error: only --published takes a repository\n"),
        ],
    )
    def test_a_mistake_is_explained(self, weft: Weft, words: list[str], complaint: str) -> None:
        result = weft("list", *words)
        assert result.code == 2
        assert result.err.startswith(complaint)

    def test_names_are_removed_from_their_registry(
        self, weft: Weft, world: RegistryWorld, home: Path
    ) -> None:
        name = f"{world.host}/team/f"
        digest = keep(home, f"{name}:v1")
        for tag in ("v1", "v2", "v3"):
            weft("push", f"{name}:v1", "--as", f"{name}:{tag}")
        assert weft("rm", "--remote", f"{name}:v1").err == f"removed {name}:v1\n"
        assert set(world.manifests) == {("team/f", ref) for ref in ("v2", "v3", digest)}
        assert json.loads(weft("rm", "--remote", f"{name}@{digest}", "-o", "json").out) == {
            "removed": [f"{name}@{digest}"]
        }
        assert world.manifests == {}
        assert weft("list", "-o", "json").out.count(f"{name}:v1") > 0  # this machine keeps its own
        assert weft("rm", "--remote", f"{name}:v1").code == 4
