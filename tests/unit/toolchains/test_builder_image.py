"""Building in a container: a docker that records its words and plays the builder of wasme's images."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from weft.errors import BuildFailed, PartMissing
from weft.toolchains import BuilderImage, Job, executor
from weft.toolchains.builder_image import container_engine
from worlds.programs import program

# Finds the two folders among its words, as the real one does, and runs the builder over them.
PLAYS_BUILDER = r"""
    log={folder}/words; echo "$@" >> $log; env | grep -i proxy | sort > {folder}/env
    test "$1" = rm && exit 0
    for word in "$@"; do case $word in
        *:/src/workspace) workspace=${{word%:*}};; *:/build_output) output=${{word%:*}};;
    esac; done
    cd "$workspace"; find . -type f | sort > {folder}/seen
    {then}
"""
BUILDS = 'mkdir build; touch build/x; echo "added 93 packages"; printf "\\0asm1234" > $output/filter.wasm'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    source = tmp_path / "project"
    for name in ("filter.cc", "src/more.cc", ".git/HEAD", "node_modules/a.js", "target/old"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(name)
    return source


@pytest.fixture
def job(tmp_path: Path, project: Path) -> Callable[[dict[str, str]], Job]:
    def make(env: dict[str, str]) -> Job:
        folders = [tmp_path / name for name in ("scratch", "out", "cache")]
        for folder in folders:
            folder.mkdir()
        scratch, out, cache = folders
        return Job(project, out / "filter.wasm", scratch, cache, {}, executor("f", env, None))

    return make


def files_of(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


def engine(tmp_path: Path, name: str = "docker", then: str = BUILDS) -> dict[str, str]:
    folder = tmp_path / "bin"
    program(folder, name, PLAYS_BUILDER.format(folder=tmp_path, then=then))
    return {"PATH": str(folder)}


async def build(make: Callable[[dict[str, str]], Job], language: str, env: dict[str, str]) -> Job:
    job = make(env)
    await BuilderImage(language, "builder:1", env).build(job)
    return job


async def test_the_builder_leaves_a_module_and_the_project_as_it_was(
    tmp_path: Path, project: Path, job: Callable[[dict[str, str]], Job]
) -> None:
    before = files_of(project)
    done = await build(job, "cpp", engine(tmp_path))
    assert done.output.read_bytes() == b"\0asm1234"
    assert files_of(project) == before


async def test_the_builder_sees_the_source_without_what_builds_leave(
    tmp_path: Path, job: Callable[[dict[str, str]], Job]
) -> None:
    await build(job, "cpp", engine(tmp_path))
    assert (tmp_path / "seen").read_text().split() == ["./filter.cc", "./src/more.cc"]


@pytest.mark.parametrize(
    ("language", "settings"),
    [
        ("assemblyscript", "-e BUILD_TOOL=npm"),
        (
            "cpp",
            "-e BUILD_TOOL=bazel -e BUILD_BASE=. -e BAZEL_OUTPUT=filter.wasm -e TARGET=:filter.wasm",
        ),
        ("go", "-e BUILD_TOOL=tinygo"),
        ("rust", "-e BUILD_TOOL=bazel -e BUILD_BASE=. -e BAZEL_OUTPUT=filter.wasm -e TARGET=:filter"),
    ],
)
async def test_the_command_is_the_one_wasmes_builders_know(
    tmp_path: Path, job: Callable[[dict[str, str]], Job], language: str, settings: str
) -> None:
    done = await build(job, language, engine(tmp_path))
    words = (tmp_path / "words").read_text().split()
    assert words[:3] == ["run", "--rm", "--name"]
    assert words[3].startswith("weft-build-")
    assert " ".join(words[4:]) == (
        f"--user {os.getuid()}:{os.getgid()} --security-opt label=disable"
        f" -v {done.scratch}/source:/src/workspace -v {done.output.parent}:/build_output"
        f" -w /src/workspace -e HOME=/tmp {settings} builder:1"
    )


async def test_settings_replace_the_defaults(tmp_path: Path, job: Callable[[dict[str, str]], Job]) -> None:
    env = engine(tmp_path)
    await BuilderImage("cpp", "builder:1", env, {"TARGET": "//x:y"}).build(job(env))
    assert "TARGET=//x:y" in (tmp_path / "words").read_text().split()
    assert "TARGET=:filter.wasm" not in (tmp_path / "words").read_text().split()


async def test_proxies_are_handed_over_in_both_spellings_but_not_on_the_command_line(
    tmp_path: Path, job: Callable[[dict[str, str]], Job]
) -> None:
    proxies = {"http_proxy": "http://u:secret@p:1", "HTTPS_PROXY": "http://p:2", "GOPROXY": "http://p:3"}
    await build(job, "go", engine(tmp_path) | proxies)
    words = (tmp_path / "words").read_text()
    assert " -e http_proxy -e HTTP_PROXY -e https_proxy -e HTTPS_PROXY -e GOPROXY builder:1" in words
    assert "secret" not in words
    assert (tmp_path / "env").read_text().split() == [
        "GOPROXY=http://p:3",
        "HTTPS_PROXY=http://p:2",
        "HTTP_PROXY=http://u:secret@p:1",
        "http_proxy=http://u:secret@p:1",
        "https_proxy=http://p:2",
    ]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        pytest.param(7, "the compiler refused f", id="the builder's failure"),
        pytest.param(125, "docker could not run builder:1", id="docker's own failure"),
    ],
)
async def test_who_failed_is_told_with_their_words(
    tmp_path: Path, job: Callable[[dict[str, str]], Job], code: int, message: str
) -> None:
    with pytest.raises(BuildFailed) as caught:
        await build(job, "cpp", engine(tmp_path, then=f"echo 'ERROR: no'; exit {code}"))
    assert (str(caught.value), caught.value.detail) == (message, "ERROR: no\n")


async def test_a_stopped_build_removes_its_container(
    tmp_path: Path, job: Callable[[dict[str, str]], Job]
) -> None:
    env = engine(tmp_path, then=f"touch {tmp_path}/started; exec sleep 60")
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        building = group.create_task(build(job, "cpp", env))
        while not (tmp_path / "started").exists():  # noqa: ASYNC110 - another program makes it
            await asyncio.sleep(0.01)
        building.cancel()
    run, remove = (tmp_path / "words").read_text().splitlines()
    assert remove == f"rm --force {run.split()[3]}"


@pytest.mark.parametrize(
    ("there", "env", "chosen"),
    [
        pytest.param(("docker", "podman"), {}, "docker", id="docker first"),
        pytest.param(("podman",), {}, "podman", id="podman alone"),
        pytest.param(("docker", "podman"), {"WASME_USE_PODMAN": "1"}, "podman", id="asked as in wasme"),
        pytest.param(("docker", "podman"), {"WEFT_USE_PODMAN": "1"}, "podman", id="asked"),
        pytest.param(("docker", "podman"), {"WASME_USE_PODMAN": ""}, "docker", id="empty is no"),
    ],
)
def test_the_engine_is_chosen(
    tmp_path: Path, there: tuple[str, ...], env: dict[str, str], chosen: str
) -> None:
    paths = {name: program(tmp_path, name, "") for name in there}
    assert container_engine({"PATH": str(tmp_path), **env}) == paths[chosen]


@pytest.mark.parametrize(
    ("env", "message"),
    [
        pytest.param({}, "--builder-image needs docker or podman, not on PATH", id="none"),
        pytest.param({"WEFT_USE_PODMAN": "1"}, "--builder-image needs podman, not on PATH", id="no podman"),
    ],
)
def test_no_engine_is_a_missing_part(env: dict[str, str], message: str) -> None:
    with pytest.raises(PartMissing) as caught:
        container_engine(env)
    assert str(caught.value) == message
    assert caught.value.hint == "leave --builder-image out: weft brings its own compilers"


async def test_podman_keeps_the_users_identity(
    tmp_path: Path, job: Callable[[dict[str, str]], Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    await build(job, "cpp", engine(tmp_path, "podman"))
    assert f" --userns keep-id --user 1000:{os.getgid()} " in (tmp_path / "words").read_text()
