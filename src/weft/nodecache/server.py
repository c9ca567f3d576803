"""The modules over HTTP, read only, with health and metrics.

::

    GET /<SHA-256>[.wasm]   a module that is here
    GET /<reference>        the module of a wanted image, as wasme's cache has it; nothing is fetched for it
    GET /status             the report, as JSON
    GET /healthz            200 while the process lives
    GET /readyz             200 when every wanted module is here, else 503
    GET /metrics            for Prometheus
"""

import re
from typing import TYPE_CHECKING

from weft.errors import WeftError
from weft.nodecache.cache import NodeCache
from weft.nodecache.metrics import CONTENT_TYPE, metrics
from weft.oci import Digest, Reference

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["app"]

_MODULE = re.compile(r"([0-9a-f]{64})(?:\.wasm)?")
_OK, _UNAVAILABLE = 200, 503


def app(cache: NodeCache) -> "web.Application":
    """The application; whoever runs it chooses address and port."""
    from aiohttp import web

    async def module(request: web.Request) -> web.StreamResponse:
        digest = _asked(cache, request.match_info["what"])
        if digest is None or digest not in cache.folder.modules():
            raise web.HTTPNotFound(text="there is no such module here\n")
        headers = {
            "Content-Type": "application/wasm",
            "Docker-Content-Digest": str(digest),
            # The name is the content; the answer to a tag is not for keeping.
            "Cache-Control": "immutable" if _MODULE.fullmatch(request.match_info["what"]) else "no-cache",
        }
        return web.FileResponse(cache.folder.file(digest), headers=headers)

    async def status(_: web.Request) -> web.Response:
        return web.json_response(cache.report().document())

    async def alive(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def ready(_: web.Request) -> web.Response:
        is_ready = cache.report().ready
        return web.Response(
            text="ready\n" if is_ready else "not ready; see /status\n",
            status=_OK if is_ready else _UNAVAILABLE,
        )

    async def counted(_: web.Request) -> web.Response:
        return web.Response(body=metrics(cache).encode(), headers={"Content-Type": CONTENT_TYPE})

    application = web.Application()
    application.add_routes(
        [
            web.get("/status", status),
            web.get("/healthz", alive),
            web.get("/readyz", ready),
            web.get("/metrics", counted),
            web.get("/{what:.+}", module),
        ]
    )
    return application


def _asked(cache: NodeCache, what: str) -> Digest | None:
    if named := _MODULE.fullmatch(what):
        return Digest("sha256", named[1])
    try:
        reference = str(Reference.parse(what))
    except WeftError:
        return None
    for wish in cache.report().wishes:
        if wish.reference == reference and wish.module:
            return Digest.parse(wish.module)
    return None
