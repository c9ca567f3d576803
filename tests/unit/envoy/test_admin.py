"""Envoy's admin is asked within bounds. Here it is a small server that answers as Envoy does."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from weft.envoy import Admin
from weft.errors import WeftError

LISTENERS = {
    "listener_statuses": [
        {"name": "a", "local_address": {"socket_address": {"address": "127.0.0.1", "port_value": 80}}},
        {"name": "b", "local_address": {"socket_address": {"address": "::", "port_value": 81}}},
        {"name": "c", "local_address": {"pipe": {"path": "/run/c.sock"}}},
    ]
}
STATS = 'a.version_text: "v 1"\na.rejected: 3\na.time: No recorded values\n'


async def answer(request: web.BaseRequest) -> web.Response:
    """An admin that is not ready and knows three pages."""
    pages = {
        "/ready": web.Response(status=503, text="INITIALIZING\n"),
        "/listeners?format=json": web.json_response(LISTENERS),
        "/stats?filter=%5Ea%5C.": web.Response(text=STATS),
    }
    if request.method == "POST":
        return web.Response(text="OK\n")
    return pages.get(request.path_qs, web.Response(status=404, text="what?"))


@asynccontextmanager
async def served(socket: Path | None = None) -> AsyncIterator[str]:
    """The address of a running admin, as Envoy writes it."""
    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    site = web.UnixSite(runner, str(socket)) if socket else web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield str(socket) if socket else "{}:{}".format(*runner.addresses[0])
    finally:
        await runner.cleanup()


async def test_it_reads_what_envoy_says() -> None:
    async with served() as address, Admin(address) as admin:
        assert admin.url == f"http://{address}"
        assert await admin.ready() is False
        assert await admin.listeners() == ["127.0.0.1:80", "[::]:81", "/run/c.sock"]
        assert await admin.stats(r"^a\.") == {
            "a.version_text": "v 1",
            "a.rejected": "3",
            "a.time": "No recorded values",
        }
        await admin.post("/drain_listeners")


async def test_an_admin_on_a_local_socket_is_asked_there(tmp_path: Path) -> None:
    async with served(tmp_path / "admin.sock") as address, Admin(address) as admin:
        assert admin.url == f"unix:{address}"
        assert len(await admin.listeners()) == 3


async def test_a_refusal_is_told_with_what_was_asked() -> None:
    async with served() as address, Admin(address) as admin:
        with pytest.raises(WeftError) as caught:
            await admin.stats("unknown")
    assert str(caught.value) == "Envoy's admin answered 404 to GET /stats?filter=unknown"
    assert caught.value.detail == "what?"


async def test_nobody_there_is_told_with_the_address() -> None:
    async with served() as address:
        pass
    async with Admin(address) as admin:
        with pytest.raises(WeftError) as caught:
            await admin.ready()
    assert str(caught.value).startswith(f"Envoy's admin at http://{address} does not answer: ")


def test_the_sample_is_what_envoy_sends() -> None:
    assert json.loads(json.dumps(LISTENERS)) == LISTENERS
