"""What travels with an image, from `weft build` to somebody else's machine."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import Result, Weft
from weft.oci import Reference
from weft.store import Store
from worlds.registry import RegistryWorld, registry_in_thread
from worlds.tiny_compiler import Tiny, tiny_compiler, tiny_project

README = "# My filter\nIt adds a header.\n"


class Author:
    """Somebody with a project in git and a registry, and a colleague with another machine."""

    def __init__(self, weft: Weft, world: RegistryWorld, folder: Path, env: dict[str, str]) -> None:
        self._weft, self._env, self.world, self.folder = weft, env, world, folder
        self.image = f"{world.host}/team/f:v1"
        self.project = tiny_project(folder / "my-filter")
        with (self.project / "weft.toml").open("a") as file:
            file.write('license = "Apache-2.0"\n[config]\nschema = "config.schema.json"\n')
        (self.project / "config.schema.json").write_text('{"type": "object"}')
        (self.project / "README.md").write_text(README)
        (self.project / "LICENSE").write_text("do what you want\n")
        (self.project / "tests").mkdir()
        (self.project / "tests" / "a.yaml").write_text("scenarios: []\n")
        (self.project / "go.mod").write_text("module x\nrequire example.com/dep v1.2.3\n")

    def __call__(self, *words: str | Path, home: Path | None = None) -> Result:
        here = {"WEFT_HOME": str(home)} if home else {}
        return self._weft(*words, WEFT_REGISTRY_PLAIN_HTTP=self.world.host, **here)

    def build(self) -> None:
        result = self("build", self.project, "-t", self.image)
        assert result.code == 0, result.err

    def git(self, *words: str) -> str:
        ended = subprocess.run(
            ["git", "-C", self.project, "-c", "user.name=A", "-c", "user.email=a@example.com", *words],  # noqa: S607
            capture_output=True,
            text=True,
            check=True,
        )
        return ended.stdout.strip()

    def provenance(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self("inspect", self.image, "--show", "provenance").out)
        return document


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A user with the tiny compiler and git on PATH."""
    home = tmp_path / "home"
    (home / "cache" / "zig").mkdir(parents=True)
    monkeypatch.setattr("weft.workflows.authoring.build.LANGUAGES", {"cpp": Tiny()})
    path = f"{tiny_compiler(tmp_path / 'bin')}:/usr/bin:/bin"
    return {"WEFT_HOME": str(home), "PATH": path, "HOME": str(tmp_path)}


@pytest.fixture
def author(weft: Weft, tmp_path: Path, env: dict[str, str]) -> Iterator[Author]:
    with registry_in_thread() as world:
        yield Author(weft, world, tmp_path, env)


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("readme", README),
        ("license", "do what you want\n"),
        ("schema", '{"type": "object"}\n'),
        ("scenarios", "scenarios: []\n"),
    ],
)
def test_what_the_author_wrote_is_shown_from_the_store_and_from_the_registry(
    author: Author, what: str, text: str
) -> None:
    author.build()
    assert author("inspect", author.image, "--show", what).out == text
    assert author("push", author.image).code == 0
    assert author("rm", author.image).code == 0
    author.world.seen.clear()
    assert author("inspect", author.image, "--show", what).out == text
    module = max(author.world.blobs.items(), key=lambda item: item[1].startswith(b"\0asm"))[0]
    assert author.world.requests("GET", f"/blobs/{module}") == [], "the module is not fetched for it"


def test_the_bill_lists_what_the_lock_file_pins(author: Author) -> None:
    author.build()
    document = json.loads(author("inspect", author.image, "--show", "sbom").out)
    assert [part["purl"] for part in document["components"]] == ["pkg:golang/example.com/dep@v1.2.3"]


def test_the_provenance_names_the_commit_and_no_credential(author: Author) -> None:
    author.git("init", "--quiet")
    author.git("remote", "add", "origin", "https://me:secret@git.example.com/team/f.git")
    author.git("add", ".")
    author.git("commit", "--quiet", "-m", "all")
    author.build()
    (source, *_) = author.provenance()["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert source == {
        "name": "source",
        "uri": "git+https://git.example.com/team/f.git",
        "digest": {"gitCommit": author.git("rev-parse", "HEAD")},
    }
    (author.project / "README.md").write_text("changed")
    author.build()
    (source, *_) = author.provenance()["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert source["annotations"] == {"changed": True}


def test_without_git_nothing_is_claimed_of_the_source(author: Author) -> None:
    author.build()
    uris = [one["uri"] for one in author.provenance()["predicate"]["buildDefinition"]["resolvedDependencies"]]
    assert uris == ["pkg:golang/example.com/dep@v1.2.3"]


def test_the_same_source_gives_the_same_attachments_and_leaves_no_old_ones(author: Author) -> None:
    store = Store(author.folder / "home" / "store")

    def attached() -> set[str]:
        image = store.find(Reference.parse(author.image)).digest
        return {str(entry.digest) for entry in store.referrers(image)}

    author.build()
    first = attached()
    author.build()
    assert attached() == first
    (author.project / "README.md").write_text("new words\n")
    author.build()
    assert len(attached() & first) == 2, "the SBOM and the provenance are as before"
    assert len(attached()) == 3


def test_it_goes_to_a_colleague_with_the_image(author: Author, tmp_path: Path) -> None:
    author.build()
    author("push", author.image)
    colleague = tmp_path / "colleague"
    assert author("pull", author.image, "--attached", home=colleague).code == 0
    author.world.meetings.clear()
    author.world.manifests.clear()
    assert author("inspect", author.image, "--show", "readme", home=colleague).out == README


def test_a_bundle_takes_it_along(author: Author, tmp_path: Path) -> None:
    author.build()
    bundle, far = tmp_path / "b.tar", tmp_path / "far"
    assert author("copy", f"store:{author.image}", bundle).code == 0
    assert author("copy", bundle, "store:air.example.com/f:v1", home=far).code == 0
    assert (
        author("inspect", "air.example.com/f:v1", "--show", "license", home=far).out == "do what you want\n"
    )


def test_the_schema_that_came_along_checks_the_config_of_a_run(author: Author) -> None:
    author.build()
    result = author("run", author.image, "--config", "[1]", "--out", "-")
    assert result.code == 2
    assert "--config" in result.err
    assert author("run", author.image, "--config", "{}", "--out", "-").code == 0


def test_what_is_not_there_is_said(author: Author) -> None:
    (author.project / "LICENSE").unlink()
    author.build()
    result = author("inspect", author.image, "--show", "license")
    assert (result.code, result.err.splitlines()[0]) == (
        4,
        f"error: no license travels with {author.image} in the store",
    )


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        pytest.param(
            lambda p: (p / "go.mod").rename(p / "Cargo.lock"), "Cargo.lock cannot be read: ", id="lock file"
        ),
        pytest.param(
            lambda p: (p / "README.md").write_bytes(b"x" * (1 << 20) + b"x"), "is larger than", id="size"
        ),
    ],
)
def test_what_cannot_travel_fails_the_build_by_name(author: Author, change: Any, complaint: str) -> None:
    change(author.project)
    result = author("build", author.project, "-t", author.image)
    assert result.code == 2
    assert complaint in result.err
    assert "Traceback" not in result.err


def test_a_file_outside_the_project_stays_there(author: Author) -> None:
    (author.folder / "secret").write_text("secret")
    (author.project / "LICENSE").unlink()
    (author.project / "LICENSE").symlink_to(author.folder / "secret")
    author.build()
    assert author("inspect", author.image, "--show", "license").code == 4
