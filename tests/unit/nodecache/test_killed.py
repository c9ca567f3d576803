"""`weft serve node-cache` as a process that is killed while it writes."""

import asyncio
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import web

from modules import sample_images
from worlds.registry import RegistryWorld, registry_in_thread
from worlds.waiting import until

# Several times what is written at once.
MODULE = sample_images.module(6_000_000, b"m")
SHA = hashlib.sha256(MODULE).hexdigest()


def start(world: RegistryWorld, home: Path, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "weft", "serve", "node-cache", f"{world.host}/team/f:v1"]
    command += ["--directory", str(home / "main"), "--port", "0", "--interval", "0.1", *words]
    env = {**os.environ, "WEFT_HOME": str(home / "weft"), "WEFT_REGISTRY_PLAIN_HTTP": world.host}
    return subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


async def half(request: web.BaseRequest) -> web.StreamResponse:
    """Half of the module, and then nothing."""
    response = web.StreamResponse(headers={"Content-Length": str(len(MODULE))})
    await response.prepare(request)
    await response.write(MODULE[: len(MODULE) // 2])
    while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    return response


@pytest.mark.parametrize("more", [(), ("copy",)], ids=["one folder", "two folders"])
def test_what_it_left_is_never_taken_for_a_module_and_goes(tmp_path: Path, more: tuple[str, ...]) -> None:
    words = [word for name in more for word in ("--also-directory", str(tmp_path / name))]
    folders = [tmp_path / name for name in ("main", *more)]
    with registry_in_thread() as world:
        image = sample_images.sample(MODULE)
        for data in image.blobs.values():
            world.add_blob("team/f", data)
        world.add_manifest("team/f", "v1", image.manifest.raw, image.manifest.media_type)
        world.meet("GET", f"/blobs/sha256:{SHA}", half, times=1)
        process = start(world, tmp_path, *words)
        until(lambda: [one for one in folders[0].glob(".unfinished-*") if one.stat().st_size], "half a file")
        process.kill()
        process.wait()
        assert not (folders[0] / SHA).exists()
        again = start(world, tmp_path, *words)
        until(lambda: all((folder / SHA).exists() for folder in folders), "module")
        again.terminate()
        assert again.wait(30) == 0
    for folder in folders:
        assert (folder / SHA).read_bytes() == MODULE
        assert list(folder.glob(".unfinished-*")) == []
