"""``weft build``: words in, an image in the store or a module in a file out."""

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import Weft
from weft.cli import run
from worlds.programs import program
from worlds.tiny_compiler import Tiny, tiny_compiler, tiny_project

MODULE = b"\0asm\1\0\0\0"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A machine of this test's own."""
    return tmp_path / "home"


@pytest.fixture
def env(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A user with the tiny compiler on PATH, who has used it before."""
    (home / "cache" / "zig").mkdir(parents=True)
    monkeypatch.setattr("weft.workflows.authoring.build.LANGUAGES", {"cpp": Tiny()})
    return {"WEFT_HOME": str(home), "PATH": str(tiny_compiler(tmp_path / "bin")), "HOME": str(tmp_path)}


def images(home: Path) -> dict[str, dict[str, Any]]:
    """Reference → manifest, read as any OCI tool reads the store."""
    store = home / "store"
    if not (store / "index.json").exists():
        return {}
    entries = json.loads((store / "index.json").read_text())["manifests"]
    return {
        entry["annotations"]["org.opencontainers.image.ref.name"]: json.loads(blob(home, entry["digest"]))
        for entry in entries
        if "dev.weft.subject" not in entry["annotations"]
    }


def blob(home: Path, digest: str) -> bytes:
    return (home / "store" / "blobs" / "sha256" / digest.removeprefix("sha256:")).read_bytes()


def sha256(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def test_budgets_travel_with_the_image(weft: Weft, home: Path, tmp_path: Path) -> None:
    project = tiny_project(tmp_path / "add-header")
    with (project / "weft.toml").open("a") as file:
        file.write('[budgets]\nmodule_size = "1 MB"\n')
    assert weft("build", project).code == 0
    [manifest] = images(home).values()
    runtime = json.loads(blob(home, manifest["config"]["digest"]))
    assert runtime["budgets"] == {"module_size": "1 MB"}


def test_a_project_becomes_an_image_named_by_the_tag(weft: Weft, home: Path, tmp_path: Path) -> None:
    project = tiny_project(tmp_path / "add-header")
    result = weft("build", project, "-t", "localhost:5000/team/add-header:v1")
    assert result.code == 0, result.err
    ((reference, manifest),) = images(home).items()
    assert reference == "localhost:5000/team/add-header:v1"
    digest = json.loads((home / "store" / "index.json").read_text())["manifests"][0]["digest"]
    assert (result.out, result.err) == (
        "",
        f"compiling add-header (cpp)\ntagged image   digest={digest} image={reference}\n",
    )
    config = json.loads(blob(home, manifest["config"]["digest"]))
    assert config == {"type": "envoy_proxy", "config": {"rootIds": ["add_header"]}}


def test_without_a_tag_the_project_names_the_image(weft: Weft, home: Path, tmp_path: Path) -> None:
    assert weft("build", tiny_project(tmp_path / "add-header")).code == 0
    assert list(images(home)) == ["docker.io/library/add-header:latest"]


def test_a_name_that_cannot_be_an_image_asks_for_a_tag(weft: Weft, tmp_path: Path) -> None:
    result = weft("build", tiny_project(tmp_path / "Add Header"))
    assert (result.code, result.err) == (
        2,
        "error: 'Add Header' cannot name an image\n\nhint: name it with -t REF\n",
    )


def test_only_the_module_is_wanted(weft: Weft, home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out" / "filter.wasm"
    result = weft("build", tiny_project(tmp_path / "Add Header"), "--out", out)
    assert result.code == 0, result.err
    module = out.read_bytes()
    assert module.startswith(MODULE)
    assert result.err.splitlines()[-1] == (
        f"wrote module   digest={sha256(module)} size={len(module)} file={out}"
    )
    assert images(home) == {}


def test_the_outcome_is_an_api(weft: Weft, home: Path, tmp_path: Path) -> None:
    out = tmp_path / "filter.wasm"
    project = tiny_project(tmp_path / "f")
    result = weft("build", project, "-t", "team/f:v1", "--flavor", "compat", "--out", out, "-o", "json")
    said = json.loads(result.out)
    assert result.out.count("\n") == 1
    assert 0 <= said.pop("seconds") < 60
    assert said == {
        "reference": "docker.io/team/f:v1",
        "digest": json.loads((home / "store" / "index.json").read_text())["manifests"][0]["digest"],
        "module": {"digest": sha256(out.read_bytes()), "size": out.stat().st_size},
        "flavor": "compat",
    }
    only_file = json.loads(weft("build", project, "--out", out, "-o", "json").out)
    assert (only_file["reference"], only_file["digest"], only_file["flavor"]) == (None, None, None)


def test_the_image_may_go_to_another_store(weft: Weft, home: Path, tmp_path: Path) -> None:
    result = weft("build", tiny_project(tmp_path / "f"), "-t", "team/f", "--store", tmp_path / "mine")
    assert result.code == 0, result.err
    assert (tmp_path / "mine" / "index.json").is_file()
    assert not (home / "store").exists()


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["cpp", "{project}"], id="language and folder"),
        pytest.param(["{project}"], id="folder"),
        pytest.param(["cpp"], id="language, in the folder"),
        pytest.param([], id="nothing, in the folder"),
        pytest.param(["cpp", "."], id="as in wasme"),
    ],
)
def test_language_and_folder_may_be_left_out(
    weft: Weft, home: Path, tmp_path: Path, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tiny_project(tmp_path / "f")
    monkeypatch.chdir(project)
    result = weft("build", *(word.format(project=project) for word in words), "-t", "team/f:v1")
    assert result.code == 0, result.err
    assert list(images(home)) == ["docker.io/team/f:v1"]


@pytest.mark.parametrize("command", ["check", "inspect"])
def test_a_project_is_built_where_a_module_is_wanted(
    weft: Weft, tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny_project(tmp_path / "f"))
    result = weft(command, ".", *(["--offline"] if command == "check" else []), "-o", "json")
    assert json.loads(result.out)["what"] == "."
    assert result.err.startswith("compiling f (cpp)\n")


@pytest.mark.parametrize("command", ["check", "inspect"])
def test_a_word_that_is_empty_names_nothing(weft: Weft, command: str) -> None:
    result = weft(command, "")
    assert (result.code, result.err) == (2, "error: no folder, file or image is named\n")


@pytest.mark.parametrize(
    ("name", "said"),
    [("missing.json", "/missing.json: No such file"), ("../s.json", "/../s.json is outside of the project")],
)
def test_a_schema_that_could_not_go_with_the_image_stops_the_build(
    weft: Weft, home: Path, tmp_path: Path, name: str, said: str
) -> None:
    project = tiny_project(tmp_path / "f")
    (tmp_path / "s.json").write_text("{}")
    with (project / "weft.toml").open("a") as file:
        file.write(f'[config]\nschema = "{name}"\n')
    result = weft("build", project)
    assert (result.code, images(home)) == (2, {})
    assert f"error: {project}{said}" in result.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        pytest.param(["cobol", "{project}"], 2, "'cobol' is no language", id="no language"),
        pytest.param(["cpp", "a", "b"], 2, "one folder is built at a time, not 2: a b", id="two folders"),
        pytest.param(["{project}/nowhere"], 4, "{project}/nowhere: no such file or folder", id="no folder"),
        pytest.param(["precompiled"], 2, "say which module", id="no module named"),
        pytest.param(["precompiled", "x.wasm"], 4, "x.wasm: no such file", id="no module"),
        pytest.param(["precompiled", "{project}"], 2, "{project} is a folder", id="a folder, not a module"),
        pytest.param(
            ["go", "{project}"],
            2,
            "{project}/weft.toml says the language is cpp, the command line says go",
            id="another language",
        ),
        pytest.param(
            ["{project}", "-t", "Team/f"],
            2,
            "image reference 'Team/f': the repository name must be lower case",
            id="no reference",
        ),
        pytest.param(
            ["{project}", "-t", f"team/f@sha256:{'0' * 64}"],
            2,
            "-t takes a name; the build gives the digest",
            id="a digest",
        ),
        pytest.param(["{project}", "-c", "{project}/no"], 4, "{project}/no is not a file", id="no config"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_compiled(
    weft: Weft, home: Path, tmp_path: Path, words: list[str], code: int, said: str
) -> None:
    project = tiny_project(tmp_path / "f", "error")
    result = weft("build", *(word.format(project=project) for word in words))
    assert result.code == code
    assert result.err.splitlines()[0] == f"error: {said.format(project=project)}"
    assert not (home / "cache" / "builds").exists()


def test_the_compilers_words_come_as_they_are_and_nothing_is_written(
    weft: Weft, home: Path, tmp_path: Path
) -> None:
    out = tmp_path / "filter.wasm"
    out.write_bytes(b"the last good one")
    result = weft("build", tiny_project(tmp_path / "f", "error"), "-t", "team/f", "--out", out)
    assert (result.code, result.out) == (5, "")
    assert result.err == (
        "compiling f (cpp)\n"
        "filter.cc:1:1: error: what is this?\n"
        "  1 | <error>\n"
        "error: the compiler refused f\n"
    )
    assert images(home) == {}
    assert out.read_bytes() == b"the last good one"


def test_what_the_system_says_is_explained(weft: Weft, home: Path, tmp_path: Path) -> None:
    project = tiny_project(tmp_path / "f")
    (tmp_path / "file").touch()
    out = weft("build", project, "--out", tmp_path / "file" / "sub" / "x.wasm")
    assert (out.code, out.err.splitlines()[-1]) == (
        1,
        f"error: cannot write {tmp_path}/file/sub/x.wasm: Not a directory",
    )
    (home / "cache" / "builds").rename(home / "moved")
    (home / "cache" / "builds").touch()
    build = weft("build", project)
    assert build.code == 1
    assert build.err.startswith(f"error: cannot build {project}: {home}/cache/builds/f-")
    assert build.err.endswith(": Not a directory\n")


def test_a_missing_tool_is_named_with_the_command(weft: Weft, tmp_path: Path) -> None:
    result = weft("build", tiny_project(tmp_path / "f"), PATH="")
    assert (result.code, result.err) == (
        3,
        "error: zig is not on this machine\n\nhint: weft toolchain install zig\n",
    )


class Terminal(io.StringIO):
    """A stream with a person at it."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("answer", "code", "outcome"),
    [
        pytest.param("n\n", 3, "error: zig is not on this machine", id="no"),
        pytest.param("\n", 1, "error: could not fetch zig 0.17.0", id="yes, from an empty registry"),
    ],
)
def test_a_person_is_asked_once(
    env: dict[str, str], tmp_path: Path, answer: str, code: int, outcome: str
) -> None:
    project = tiny_project(tmp_path / "f")
    alone = env | {"PATH": "", "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": "/dev/null", "PIP_FIND_LINKS": ""}
    err = Terminal()
    assert run(["build", str(project)], Terminal(answer), io.StringIO(), err, alone) == code
    said = err.getvalue()
    assert said.count("weft needs zig 0.17.0 (413 MB on disk). Fetch? [Y/n] ") == 1
    assert outcome in said


class TestWasme:
    """What a user of wasme types and has lying around."""

    CONFIG = '{"type":"envoy_proxy","abiVersions":["v0.2.1"],"config":{"rootIds":["mine"]},"extra":{"a":1}}'

    def project(self, folder: Path) -> Path:
        folder.mkdir()
        (folder / "filter.cc").write_text("fine")
        (folder / "runtime-config.json").write_text(self.CONFIG)
        return folder

    def config(self, home: Path) -> Any:
        (manifest,) = images(home).values()
        return json.loads(blob(home, manifest["config"]["digest"]))

    def test_a_wasme_project_is_built_and_its_config_kept(
        self, weft: Weft, home: Path, tmp_path: Path
    ) -> None:
        result = weft(
            "build", "cpp", "-t", "hub.example.com/me/path_rewrite:v0.1", self.project(tmp_path / "x")
        )
        assert result.code == 0, result.err
        assert self.config(home) == json.loads(self.CONFIG)

    def test_another_config_may_be_named(self, weft: Weft, home: Path, tmp_path: Path) -> None:
        other = tmp_path / "other.json"
        other.write_text('{"type":"envoy_proxy","config":{"rootIds":["other"]}}')
        assert weft("build", self.project(tmp_path / "x"), "-c", other).code == 0
        assert self.config(home) == json.loads(other.read_text())

    def test_a_module_that_is_built_already_is_kept(self, weft: Weft, home: Path, tmp_path: Path) -> None:
        module = tmp_path / "add-header.wasm"
        module.write_bytes(MODULE)
        result = weft("build", "precompiled", module)
        assert result.code == 0, result.err
        assert list(images(home)) == ["docker.io/library/add-header:latest"]
        assert self.config(home) == {"type": "envoy_proxy"}

    def test_the_config_beside_a_module_is_its_own(self, weft: Weft, home: Path, tmp_path: Path) -> None:
        module = self.project(tmp_path / "x") / "filter.wasm"
        module.write_bytes(MODULE)
        assert weft("build", "precompiled", module, "-t", "team/f").code == 0
        assert self.config(home) == json.loads(self.CONFIG)

    def test_what_is_no_module_is_not_kept(self, weft: Weft, home: Path, tmp_path: Path) -> None:
        module = tmp_path / "f.wasm"
        module.write_bytes(b"MZ, a program of another kind")
        result = weft("build", "precompiled", module, "-t", "team/f")
        assert result.code != 0
        assert result.err.startswith(f"error: {module}")
        assert images(home) == {}

    def test_flags_that_say_nothing_here_are_noted(self, weft: Weft, tmp_path: Path) -> None:
        flags = ["-b", ".", "-f", "x.wasm", "-g", ":x", "-u", "me", "-p", "pw", "-e", "me@x", "-i", "image"]
        result = weft("build", "cpp", self.project(tmp_path / "x"), *flags, "--tmp-dir", tmp_path)
        assert result.code == 0, result.err
        notes = [line for line in result.err.splitlines() if line.startswith("note: ")]
        assert notes[0] == "note: -b/--build-dir is wasme's; weft needs no such setting"
        assert len(notes) == 7
        assert "pw" not in "".join(notes)


class TestBuilderImage:
    """Container builds, with a docker that plays the builder."""

    DOCKER = r"""
        echo "$@" >> {folder}/words
        for word in "$@"; do case $word in *:/build_output) output=${{word%:*}};; esac; done
        {then}
    """

    @pytest.fixture
    def docker(self, tmp_path: Path) -> Callable[[str], str]:
        def make(then: str) -> str:
            body = self.DOCKER.format(folder=tmp_path, then=then)
            return str(program(tmp_path / "engine", "docker", body).parent)

        return make

    def test_the_image_builds_with_wasmes_settings(
        self, weft: Weft, tmp_path: Path, docker: Callable[[str], str]
    ) -> None:
        path = docker(r'printf "\0asm\1\0\0\0" > "$output/filter.wasm"')
        out = tmp_path / "out.wasm"
        project = tiny_project(tmp_path / "f")
        result = weft("build", project, "--builder-image", "b:1", "-g", "//:x", "--out", out, PATH=path)
        assert result.code == 0, result.err
        assert out.read_bytes() == MODULE
        assert "TARGET=//:x" in (tmp_path / "words").read_text().split()

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_build_that_is_told_to_stop_leaves_nothing(
        self, tmp_path: Path, home: Path, docker: Callable[[str], str], number: signal.Signals
    ) -> None:
        path = docker(f'test "$1" = run && {{ touch {tmp_path}/started; exec sleep 60; }}')
        project = tiny_project(tmp_path / "f")
        words = ["build", str(project), "--builder-image", "b:1", "-t", "team/f"]
        process = subprocess.Popen(
            [sys.executable, "-m", "weft", *words],
            env=dict(os.environ) | {"PATH": path, "WEFT_HOME": str(home)},
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            appears(tmp_path / "started")
            process.send_signal(number)
            _, said = process.communicate(timeout=30)
        finally:
            process.kill()
            process.communicate()
        assert process.returncode == 130
        assert said.splitlines()[-1] == "stopped"
        started, removed = (tmp_path / "words").read_text().splitlines()
        assert removed == f"rm --force {started.split()[3]}"
        assert {path.name for path in home.glob("cache/builds/*/*")} == {".lock", "cache"}
        assert images(home) == {}


def appears(path: Path) -> None:
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
