"""Ask Envoy's admin interface, within bounds.

An address is what Envoy wrote itself (``--admin-address-path``): ``127.0.0.1:43121`` or the path of a socket.
"""

import asyncio
import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from weft.errors import WeftError

__all__ = ["Admin"]

_TIMEOUT = 5.0
# The whole dump of a large bootstrap; more means that something else answers on this port.
_MAX_ANSWER = 32 * 1024 * 1024


class Admin:
    """A client; use it as an async context manager."""

    def __init__(self, address: str) -> None:
        from weft.net import Http, Network

        local = address.startswith("/")
        self.url = f"unix:{address}" if local else f"http://{address}"
        self._base = "http://envoy" if local else self.url
        self._http = Http(Network(socket=Path(address) if local else None), idle=_TIMEOUT)

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    async def ready(self) -> bool:
        """Whether Envoy answers requests."""
        status, _ = await self._ask("GET", "/ready")
        return status == 200  # noqa: PLR2004 - HTTP's OK

    async def listeners(self) -> list[str]:
        """``host:port`` of each listener that opened a port, in the order of the bootstrap."""
        found = json.loads(await self._text("/listeners?format=json")).get("listener_statuses", [])
        return [_host_and_port(status["local_address"]) for status in found]

    async def stats(self, pattern: str) -> dict[str, str]:
        """Name → value of the statistics whose names match the regular expression."""
        from urllib.parse import quote

        text = await self._text(f"/stats?filter={quote(pattern, safe='')}")
        lines = (line.partition(": ") for line in text.splitlines())
        return {name: value.strip('"') for name, _, value in lines}

    async def post(self, path: str) -> None:
        """Tell it to do something; raises ``WeftError`` when it says no."""
        await self._text(path, "POST")

    async def _text(self, path: str, method: str = "GET") -> str:
        status, text = await self._ask(method, path)
        if status != 200:  # noqa: PLR2004 - HTTP's OK
            raise WeftError(f"Envoy's admin answered {status} to {method} {path}", detail=text[:1000])
        return text

    async def _ask(self, method: str, path: str) -> tuple[int, str]:
        from weft.net import HttpFailure

        try:
            async with (
                asyncio.timeout(_TIMEOUT),
                self._http.request(method, self._base + path) as answer,
            ):
                text = await answer.read(_MAX_ANSWER, f"the answer to {path}")
                return answer.status, text.decode(errors="replace")
        except (HttpFailure, TimeoutError) as error:
            raise WeftError(f"Envoy's admin at {self.url} does not answer: {error}") from error


def _host_and_port(address: dict[str, Any]) -> str:
    socket = address.get("socket_address")
    if socket is None:
        return str(address.get("pipe", {}).get("path", ""))
    host = str(socket["address"])
    return f"[{host}]:{socket['port_value']}" if ":" in host else f"{host}:{socket['port_value']}"
