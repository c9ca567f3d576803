"""kill -9 in the middle of a pull, push or copy: the next run completes, and nothing wrong is ever seen."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiohttp import web

from conftest import Weft
from weft.archive import ArchiveReader
from weft.image import RuntimeConfig, pack
from weft.oci import Reference
from weft.store import Store
from worlds.http import Handler, answer
from worlds.registry import RegistryWorld, registry_in_thread
from worlds.waiting import until

BEGIN = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.Handlers[sys.argv[1]])
os.execv(sys.executable, [sys.executable, "-m", "weft", *sys.argv[2:]])
"""
MODULE = b"\0asm\1\0\0\0" + os.urandom(3_000_000)
IMAGE = pack(MODULE, RuntimeConfig())


@pytest.fixture
def world() -> Iterator[RegistryWorld]:
    with registry_in_thread() as world:
        yield world


class Halfway:
    """A point that a run reaches and does not get past: there it is killed."""

    def __init__(self) -> None:
        self._reached = threading.Event()

    def on_download(self, module: bytes) -> Handler:
        """Half of the module, and then silence."""

        async def handler(request: web.BaseRequest) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Length": str(len(module))})
            await response.prepare(request)
            await response.write(module[: len(module) // 2])
            self._reached.set()
            await asyncio.Event().wait()
            return response

        return handler

    def on_upload(self) -> Handler:
        """Half of the body taken, and then deaf."""

        async def handler(request: web.BaseRequest) -> web.StreamResponse:
            await request.content.readexactly(len(MODULE) // 2)
            self._reached.set()
            await asyncio.Event().wait()
            return web.Response()

        return handler

    def kill(self, env: dict[str, str], *words: str | Path) -> None:
        """Run the program until it is there, and no further."""
        with self.running(env, *words):
            pass

    @contextmanager
    def running(
        self, env: dict[str, str], *words: str | Path, interrupts: str = "SIG_DFL"
    ) -> Iterator[subprocess.Popen[bytes]]:
        """The block while the program is there; then it is killed. ``interrupts`` as its parent had them."""
        program = [sys.executable, "-c", BEGIN, interrupts, *map(str, words)]
        with subprocess.Popen(program, env=env, stderr=subprocess.PIPE) as process:
            try:
                assert self._reached.wait(60), process.stderr
                yield process
            finally:
                process.kill()


def arrived(store: Store) -> int:
    """Bytes that are in the store, and no blob yet."""
    return max((path.stat().st_size for path in (store.root / ".weft/arriving").glob("*")), default=0)


def publish(world: RegistryWorld, name: str, tag: str) -> None:
    for data in IMAGE.blobs.values():
        world.add_blob(name, data)
    world.add_manifest(name, tag, IMAGE.manifest.raw, IMAGE.manifest.media_type)


def the_module(world: RegistryWorld) -> str:
    return next(digest for digest, data in world.blobs.items() if data == MODULE)


def test_a_pull_is_taken_up_by_the_next(
    weft: Weft, world: RegistryWorld, env: dict[str, str], home: Path
) -> None:
    publish(world, "team/f", "v1")
    halfway = Halfway()
    world.meet("GET", the_module(world), halfway.on_download(MODULE), times=1)
    store = Store(home / "store")
    with halfway.running(env, "pull", f"{world.host}/team/f:v1"):
        until(lambda: arrived(store) > 400_000, "half a module")
    there = arrived(store)
    assert store.entries() == []
    assert weft("pull", f"{world.host}/team/f:v1").code == 0
    asked = [seen.headers.get("Range") for seen in world.requests("GET", the_module(world))]
    assert asked == [None, f"bytes={there}-"]
    assert MODULE in store.get(Reference.parse(f"{world.host}/team/f:v1")).blobs.values()
    assert store.prune().leftovers == 0
    assert MODULE in store.get(Reference.parse(f"{world.host}/team/f:v1")).blobs.values()


@pytest.mark.parametrize(
    ("number", "interrupts"),
    [
        pytest.param(signal.SIGINT, "SIG_DFL", id="by Ctrl-C"),
        pytest.param(signal.SIGTERM, "SIG_DFL", id="by being told to end"),
        pytest.param(signal.SIGTERM, "SIG_IGN", id="by being told to end, behind a script's &"),
    ],
)
def test_a_pull_that_is_interrupted_is_taken_up_by_the_next(
    weft: Weft, world: RegistryWorld, env: dict[str, str], home: Path, number: int, interrupts: str
) -> None:
    publish(world, "team/f", "v1")
    halfway = Halfway()
    world.meet("GET", the_module(world), halfway.on_download(MODULE), times=1)
    store = Store(home / "store")
    with halfway.running(env, "pull", f"{world.host}/team/f:v1", interrupts=interrupts) as process:
        until(lambda: arrived(store) > 400_000, "half a module")
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
        assert (process.returncode, said) == (130, b"\nstopped\n")
    there = arrived(store)
    assert weft("pull", f"{world.host}/team/f:v1").code == 0
    asked = [seen.headers.get("Range") for seen in world.requests("GET", the_module(world))]
    assert asked == [None, f"bytes={there}-"]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(answer(416), id="a part it will not give"),
        pytest.param(
            answer(206, MODULE[9:], content_range=f"bytes 9-{len(MODULE) - 1}/{len(MODULE)}"),
            id="another part",
        ),
        pytest.param(answer(200, MODULE[:-1]), id="another size"),
    ],
)
def test_a_registry_that_does_not_go_on_ends_this_run_and_not_the_next(
    weft: Weft, world: RegistryWorld, home: Path, fault: Handler
) -> None:
    publish(world, "team/f", "v1")
    store = Store(home / "store")
    with store.adding():
        (home / f"store/.weft/arriving/{the_module(world).replace(':', '-')}").write_bytes(MODULE[:1_000_000])
    world.meet("GET", the_module(world), fault, times=1)
    assert weft("pull", f"{world.host}/team/f:v1").code == 1
    assert arrived(store) == 0
    assert weft("pull", f"{world.host}/team/f:v1").code == 0
    assert world.requests("GET", the_module(world))[-1].headers.get("Range") is None
    assert MODULE in store.get(Reference.parse(f"{world.host}/team/f:v1")).blobs.values()


def test_a_registry_that_knows_no_parts_is_read_past_what_is_there(
    weft: Weft, world: RegistryWorld, home: Path
) -> None:
    publish(world, "team/f", "v1")
    store = Store(home / "store")
    with store.adding():
        (home / f"store/.weft/arriving/{the_module(world).replace(':', '-')}").write_bytes(MODULE[:1_000_000])
    world.meet("GET", the_module(world), answer(200, MODULE), times=1)
    assert weft("pull", f"{world.host}/team/f:v1").code == 0
    assert MODULE in store.get(Reference.parse(f"{world.host}/team/f:v1")).blobs.values()


def test_a_pull_keeps_the_image_that_was_there(
    weft: Weft, world: RegistryWorld, env: dict[str, str], home: Path
) -> None:
    name = Reference.parse(f"{world.host}/team/f:v1")
    store = Store(home / "store")
    store.put(name, pack(b"\0asm\1\0\0\0", RuntimeConfig()))
    publish(world, "team/f", "v1")
    halfway = Halfway()
    world.meet("GET", the_module(world), halfway.on_download(MODULE), times=1)
    halfway.kill(env, "pull", str(name))
    assert b"\0asm\1\0\0\0" in store.get(name).blobs.values()
    assert weft("pull", str(name)).code == 0
    assert MODULE in store.get(name).blobs.values()


def test_a_push_is_taken_up_by_the_next(
    weft: Weft, world: RegistryWorld, env: dict[str, str], home: Path
) -> None:
    name = f"{world.host}/team/f:v1"
    Store(home / "store").put(Reference.parse(name), IMAGE)
    halfway = Halfway()

    def is_the_module(request: web.BaseRequest) -> bool:
        return int(request.headers.get("Content-Length", "0")) == len(MODULE)

    world.meet("PUT", "/uploads/", only(is_the_module, halfway.on_upload(), world), times=1000)
    halfway.kill(env, "push", name)
    assert world.manifests == {}
    world.meetings.clear()
    assert weft("push", name).code == 0
    assert world.manifests["team/f", "v1"][0] == IMAGE.manifest.raw
    assert MODULE in world.blobs.values()


def test_a_copy_to_a_registry_is_taken_up_by_the_next(
    weft: Weft, world: RegistryWorld, env: dict[str, str]
) -> None:
    publish(world, "team/f", "v1")
    halfway = Halfway()
    world.meet("GET", the_module(world), halfway.on_download(MODULE), times=1)
    with registry_in_thread() as other:
        halfway.kill(env, "copy", f"{world.host}/team/f:v1", f"{other.host}/team/f:v1")
        assert other.manifests == {}
        assert weft("copy", f"{world.host}/team/f:v1", f"{other.host}/team/f:v1").code == 0
        assert other.manifests["team/f", "v1"][0] == IMAGE.manifest.raw


def test_a_copy_to_a_file_is_taken_up_by_the_next(
    weft: Weft, world: RegistryWorld, env: dict[str, str], tmp_path: Path
) -> None:
    publish(world, "team/f", "v1")
    halfway = Halfway()
    world.meet("GET", the_module(world), halfway.on_download(MODULE), times=1)
    bundle = tmp_path / "bundle.tar"
    halfway.kill(env, "copy", f"{world.host}/team/f:v1", bundle)
    assert not bundle.exists()
    assert weft("copy", f"{world.host}/team/f:v1", bundle).code == 0
    with ArchiveReader(bundle) as archive:
        assert archive.find().digest == IMAGE.manifest.digest
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle.tar", "weft-home"]


def test_files_appear_together_or_not_at_all(
    weft: Weft, world: RegistryWorld, env: dict[str, str], tmp_path: Path
) -> None:
    publish(world, "team/f", "v1")
    halfway = Halfway()
    world.meet("GET", the_module(world), halfway.on_download(MODULE), times=1)
    folder = tmp_path / "out"
    halfway.kill(env, "pull", f"{world.host}/team/f:v1", "--to", folder)
    assert [path for path in folder.iterdir() if not path.name.startswith(".weft-")] == []
    assert weft("pull", f"{world.host}/team/f:v1", "--to", folder).code == 0
    assert (folder / "filter.wasm").read_bytes() == MODULE
    assert not list(folder.glob(".weft-*")), "what the killed one left is gone"


def test_a_run_leaves_alone_what_another_is_fetching(
    weft: Weft, world: RegistryWorld, env: dict[str, str], tmp_path: Path
) -> None:
    publish(world, "team/f", "v1")
    halfway = Halfway()
    world.meet("GET", the_module(world), halfway.on_download(MODULE), times=1)
    folder, name = tmp_path / "out", f"{world.host}/team/f:v1"
    with halfway.running(env, "pull", name, "--to", folder):
        (theirs,) = folder.glob(".weft-*")
        assert weft("pull", name, "--to", folder).code == 0
        assert theirs.is_dir()


def only(condition: Callable[[web.BaseRequest], bool], handler: Handler, world: RegistryWorld) -> Handler:
    """A fault for some requests; the others are answered as ever."""

    async def chosen(request: web.BaseRequest) -> web.StreamResponse:
        if condition(request):
            return await handler(request)
        return world._answer(request, await request.content.read())

    return chosen
