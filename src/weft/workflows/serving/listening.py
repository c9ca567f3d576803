"""Answer over HTTP while a block runs."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from weft.errors import WeftError

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["Listening", "listening"]


@dataclass(frozen=True, slots=True)
class Listening:
    """Where; with ``tls`` only over TLS. Port 0 is any free one."""

    address: str
    port: int
    tls: ssl.SSLContext | None = None


@asynccontextmanager
async def listening(application: "web.Application", where: Listening) -> AsyncIterator[str]:
    """Serve ``application``; gives its URL. Raises ``WeftError`` when the place is taken."""
    from aiohttp import web

    runner = web.AppRunner(application, access_log=None, shutdown_timeout=5)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, where.address, where.port, ssl_context=where.tls).start()
        except OSError as error:
            raise WeftError(f"cannot listen on {where.address}:{where.port}: {error.strerror}") from error
        host, port = runner.addresses[0][:2]
        yield f"http{'s' if where.tls else ''}://{host}:{port}"
    finally:
        await runner.cleanup()
