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
