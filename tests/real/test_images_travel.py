"""The whole way of an image with the program itself: a store, two guarded real registries, a file between."""

import json
from contextlib import ExitStack
from pathlib import Path

import pytest

from conftest import Weft
from weft.image import RuntimeConfig, pack
from weft.oci import Reference
from weft.store import Store
from worlds.certificates import certificates
from worlds.real_registry import running, token_server

MODULE = b"\0asm\1\0\0\0" * 50_000
README = "application/vnd.readme"


@pytest.mark.real("docker-registry", "distribution", "openssl")
def test_an_image_travels_with_all_that_belongs_to_it(weft: Weft, home: Path, tmp_path: Path) -> None:
    files = certificates()
    (tmp_path / "README.md").write_text("# add-header")
    bundle = tmp_path / "bundle.tar"
    with ExitStack() as stack:
        realm = stack.enter_context(token_server(tmp_path / "new"))
        old = stack.enter_context(running("docker-registry", tmp_path / "old", tls=files, auth="basic"))
        new = stack.enter_context(running("distribution", tmp_path / "new", auth="token", realm=realm))
        env = {"HOME": str(tmp_path), "WEFT_REGISTRY_CA_FILE": str(files.authority)}
        for host in (old, new):
            done = weft("login", host, "-u", "me", "--password-stdin", stdin="secret", **env)
            assert done.code == 0, done.err

        name = f"{old}/team/add-header:v1"
        digest = Store(home / "store").put(Reference.parse(name), pack(MODULE, RuntimeConfig()))
        assert weft("push", name, **env).code == 0
        attached = weft("attach", name, f"{tmp_path}/README.md", "--artifact-type", README, **env)
        assert attached.code == 0, attached.err

        assert weft("copy", name, bundle, **env).code == 0
        target = f"{new}/far/away:v9"
        assert weft("copy", bundle, target, **env).code == 0
        found = json.loads(weft("discover", target, "-o", "json", **env).out)
        assert found["digest"] == str(digest)
        assert [each["artifactType"] for each in found["referrers"]] == [README]

        other = {**env, "WEFT_STORE": str(tmp_path / "other")}
        pulled = weft("pull", f"{new}/far/away@{digest}", "-o", "json", **other)
        assert json.loads(pulled.out)["digest"] == str(digest)
        image = Store(tmp_path / "other").get(Reference.parse(f"{new}/far/away@{digest}"))
        assert MODULE in image.blobs.values()

        (row,) = [
            row
            for row in json.loads(weft("list", "--published", f"{new}/far/away", "-o", "json", **env).out)
            if row["tag"] == "v9"
        ]
        assert (row["digest"], row["flavor"], row["module"]["size"]) == (str(digest), "solo", len(MODULE))
        assert weft("rm", "--remote", f"{new}/far/away@{digest}", **env).code == 0
        assert weft("pull", target, **env).code == 4
        assert weft("logout", new, **env).code == 0
        denied = weft("push", name, "--as", target, **env)
        assert denied.code == 1
        assert denied.err.endswith(f"hint: log in first: weft login {new}\n")


@pytest.mark.real("distribution", "cpp")
def test_a_built_image_brings_what_others_need_to_know(weft: Weft, tmp_path: Path) -> None:
    """Built, published for everybody, signed; used elsewhere only because it is signed."""
    project = tmp_path / "my-filter"
    with running("distribution", tmp_path / "registry") as host:
        env = {"WEFT_REGISTRY_PLAIN_HTTP": host, "WEFT_KEY_PASSWORD": "secret", "HOME": str(tmp_path)}

        def run(*words: str | Path, **more: str) -> str:
            done = weft(*words, **env, **more)
            assert done.code == 0, done.err
            return done.out

        def takers(name: str) -> set[str]:
            shown = json.loads(run("check", name, "--consumers", "-o", "json", **there))
            return {entry["consumer"] for entry in shown["consumers"] if entry["accepts"]}

        name, key = f"{host}/team/my-filter:v1", tmp_path / "team"
        there = {"WEFT_STORE": str(tmp_path / "there")}
        run("init", project, "--language", "cpp", "--example", "add-header")
        run("build", project, "-t", name)
        run("push", name, "--also", "compat,cncf")
        assert takers(name) == {"Istio", "Envoy Gateway", "wasme", "Gloo Edge", "ORAS"}
        assert takers(f"{name}-compat") == {"Istio", "Envoy Gateway", "ORAS"}
        assert takers(f"{name}-cncf") == {"wkg", "ORAS"}

        run("key", "generate", "--output-key-prefix", key)
        verified = ("--verify-key", f"{key}.pub")
        assert weft("pull", name, *verified, **env, **there).code == 7
        run("sign", name, "--key", f"{key}.key")
        run("pull", name, "--attached", *verified, **there)
        assert "my-filter" in run("inspect", name, "--show", "readme", **there)
        assert json.loads(run("inspect", name, "--show", "schema", **there))["type"] == "object"
        assert json.loads(run("inspect", name, "--show", "sbom", **there))["bomFormat"] == "CycloneDX"

        folder = tmp_path / "node"
        report = json.loads(run("serve", "node-cache", name, "--directory", folder, "--once", *verified))
        assert report["ready"]
        module = folder / report["images"][0]["module"].removeprefix("sha256:")
        assert module.read_bytes().startswith(b"\0asm")
