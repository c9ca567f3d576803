"""The upstream that is always there: it answers with the request as the filters left it.

Any method, any path, no routes. What it answers, as JSON::

    {"method": "GET", "path": "/anything?x=1", "headers": [["host", "localhost"], …], "body": ""}

Headers stand in the order in which Envoy sent them. A body is shown up to a limit and then ``"truncated":
true`` is said; what is not UTF-8 in it is replaced.
"""

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from weft.mesh import Upstream

if TYPE_CHECKING:
    from aiohttp.web import BaseRequest, Response

__all__ = ["Echo"]

# Shown to a person: what is longer is not read.
_MAX_BODY = 64 * 1024
# A filter may add many headers; Envoy's own limit is 60 KiB.
_MAX_HEADERS = 64 * 1024


class Echo:
    """An upstream on a free loopback port, which is taken at once: Envoy can be told before it answers."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.upstream = Upstream("127.0.0.1", self._socket.getsockname()[1])

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Answer until the block ends."""
        from aiohttp import web

        server = web.Server(_answer, access_log=None, max_line_size=_MAX_HEADERS, max_field_size=_MAX_HEADERS)
        runner = web.ServerRunner(server, shutdown_timeout=0)
        await runner.setup()
        try:
            await web.SockSite(runner, self._socket).start()
            yield
        finally:
            await runner.cleanup()


async def _answer(request: "BaseRequest") -> "Response":
    from aiohttp import web

    body, truncated = await _body(request)
    shown: dict[str, Any] = {
        "method": request.method,
        "path": request.raw_path,
        "headers": [
            [name.decode(errors="replace"), value.decode(errors="replace")]
            for name, value in request.raw_headers
        ],
        "body": body.decode(errors="replace"),
    }
    if truncated:
        shown["truncated"] = True
    return web.json_response(shown, dumps=_as_text)


def _as_text(shown: dict[str, Any]) -> str:
    """JSON that a person reads easily: a member a line, and a header a line."""
    headers = ",\n    ".join(json.dumps(header, ensure_ascii=False) for header in shown["headers"])
    members = (
        f'"headers": [\n    {headers}\n  ]'
        if name == "headers"
        else json.dumps({name: value}, ensure_ascii=False)[1:-1]
        for name, value in shown.items()
    )
    return "{\n  " + ",\n  ".join(members) + "\n}\n"


async def _body(request: "BaseRequest") -> tuple[bytes, bool]:
    """The beginning of the body; the rest is taken off the wire and dropped."""
    kept = bytearray()
    truncated = False
    async for piece in request.content.iter_chunked(_MAX_BODY):
        truncated = truncated or len(kept) + len(piece) > _MAX_BODY
        kept += piece[: _MAX_BODY - len(kept)]
    return bytes(kept), truncated
