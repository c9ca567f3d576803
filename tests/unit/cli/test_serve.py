"""`weft serve node-cache`, as a DaemonSet runs it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiohttp import web

from conftest import Weft
from modules import sample_images
from weft.oci import Digest
from worlds.http import Handler
from worlds.registry import RegistryWorld, registry_in_thread
from worlds.serving import ask
from worlds.waiting import until

MODULE = sample_images.module(5_000_000)
NAME = Digest.of(MODULE).hex
SECONDS = 30.0


@pytest.fixture
def world() -> Iterator[RegistryWorld]:
    with registry_in_thread() as world:
        yield world


@pytest.fixture
def image(world: RegistryWorld) -> str:
    return publish(world, "v1", MODULE)


@pytest.fixture
def env(env: dict[str, str], world: RegistryWorld, tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in env.items() if not name.startswith(("XDG_", "DOCKER_"))}
    return kept | {"HOME": str(tmp_path / "user"), "WEFT_REGISTRY_PLAIN_HTTP": world.host}


def publish(world: RegistryWorld, tag: str, module: bytes) -> str:
    image = sample_images.sample(module)
    for data in image.blobs.values():
        world.add_blob("team/f", data)
    world.add_manifest("team/f", tag, image.manifest.raw, image.manifest.media_type)
    return f"{world.host}/team/f:{tag}"


@contextmanager
def running(
    env: dict[str, str], folder: Path, *words: str | Path, port: str = "0"
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The program, and the URL it serves."""
    argv: list[str | Path] = [sys.executable, "-m", "weft", "serve", "node-cache"]
    argv += ["--directory", folder, "--interval", "0.1", "--port", port]
    with subprocess.Popen([*argv, *words], env=env, stderr=subprocess.PIPE, text=True) as process:
        try:
            url = ""
            assert process.stderr
            if port != "0":
                for line in process.stderr:
                    if line.startswith("serving "):
                        url = line.split()[1]
                        break
            yield process, url
        finally:
            process.kill()


def free_port() -> str:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def test_one_pass_says_what_is_here(weft: Weft, env: dict[str, str], image: str, tmp_path: Path) -> None:
    result = weft(
        "serve", "node-cache", image, "--directory", tmp_path / "d", "--node", "n1", "--once", **env
    )
    assert result.code == 0, result.err
    report = json.loads(result.out)
    assert report["node"] == "n1"
    assert [one["state"] for one in report["images"]] == ["Ready"]
    assert (tmp_path / "d" / NAME).read_bytes() == MODULE


def test_one_pass_fails_when_an_image_is_missing(
    weft: Weft, env: dict[str, str], world: RegistryWorld, image: str, tmp_path: Path
) -> None:
    none = f"{world.host}/team/none:v1"
    result = weft("serve", "node-cache", image, none, "--directory", tmp_path / "d", "--once", **env)
    assert result.code == 1
    assert "not every image is here" in result.err
    assert [one["message"] for one in json.loads(result.out)["images"]] == ["", f"{none} does not exist"]
    assert (tmp_path / "d" / NAME).exists()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        pytest.param([], 2, "no images to keep", id="nothing named"),
        pytest.param(["https://x/y:v1"], 2, "is a URL", id="a URL"),
        pytest.param(
            ["x.y/z", "--verify-key", "a", "--verify-policy", "b"],
            2,
            "exclude each other",
            id="key and policy",
        ),
        pytest.param(["x.y/z", "--directory", "/proc/no"], 1, "cannot use /proc/no: ", id="no such place"),
    ],
)
def test_a_mistake_is_one_error(
    weft: Weft, env: dict[str, str], tmp_path: Path, words: list[str], code: int, message: str
) -> None:
    result = weft("serve", "node-cache", "--directory", tmp_path, *words, "--once", **env)
    assert result.code == code
    assert message in result.err
    assert "Traceback" not in result.err


def test_the_list_is_read_again_and_again(
    env: dict[str, str], world: RegistryWorld, image: str, tmp_path: Path
) -> None:
    other = sample_images.module(5000, b"z")
    publish(world, "v2", other)
    listed, folder = tmp_path / "images.txt", tmp_path / "d"
    listed.write_text("")
    with running(env, folder, "--ref-file", listed, port=free_port()) as (process, url):
        listed.write_text(f"{image}\n{world.host}/team/f:v2")
        until(lambda: (folder / NAME).exists() and (folder / Digest.of(other).hex).exists(), "modules")
        until(lambda: ask(url, "GET", "/status").echo()["ready"], "end")
        assert ask(url, "GET", f"/{NAME}.wasm").body == MODULE
        listed.unlink()
        until(lambda: "images.txt: No such file" in str(ask(url, "GET", "/status").echo()), "word")
        assert (folder / NAME).exists()
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0


def test_a_killed_process_leaves_nothing_half_and_the_next_completes(
    env: dict[str, str], world: RegistryWorld, image: str, tmp_path: Path
) -> None:
    folder = tmp_path / "d"
    world.meet("GET", f"/blobs/sha256:{NAME}", stalls(MODULE), times=1)
    with running(env, folder, image) as (process, _):
        until(lambda: any(path.stat().st_size for path in folder.glob(".unfinished-*")), "half a file")
        os.kill(process.pid, signal.SIGKILL)
        process.wait(SECONDS)
    assert not (folder / NAME).exists()
    with running(env, folder, image):
        until((folder / NAME).exists, "module")
    assert (folder / NAME).read_bytes() == MODULE
    assert list(folder.glob(".unfinished-*")) == []


def test_a_second_process_waits_for_the_first(env: dict[str, str], image: str, tmp_path: Path) -> None:
    folder = tmp_path / "d"
    with running(env, folder, image) as (first, _):
        until((folder / NAME).exists, "module")
        with running(env, folder, image) as (second, _):
            assert second.stderr
            assert "waiting for another weft to leave" in second.stderr.readline()
            first.terminate()
            assert "1 image wanted" in second.stderr.readline()


def test_a_rotated_pull_secret_is_used(
    env: dict[str, str], world: RegistryWorld, image: str, tmp_path: Path
) -> None:
    world.auth = "basic"
    secret, folder = tmp_path / "secret", tmp_path / "d"
    secret.mkdir()

    def rotate(password: str) -> None:
        auths = {world.host: {"username": "me", "password": password}}
        (secret / "config.json").write_text(json.dumps({"auths": auths}))

    rotate("old")
    with running(env | {"DOCKER_CONFIG": str(secret)}, folder, image):
        until(lambda: any(seen.authorization for seen in world.requests()), "request")
        assert not (folder / NAME).exists()
        rotate(world.password)
        until((folder / NAME).exists, "module")


def stalls(data: bytes) -> Handler:
    """Half the bytes, and then nothing for a long time."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(data))})
        await response.prepare(request)
        await response.write(data[: len(data) // 2])
        while request.transport and not request.transport.is_closing():  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.05)
        return response

    return handler
