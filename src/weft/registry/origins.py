"""Scheme and host behind the name of a registry.

``docker.io`` lives elsewhere; everything else is where it says. TLS always, except for hosts that a person
named as plain, and for registries on this machine that do not speak it: there is nobody in between.
"""

import asyncio
from collections.abc import Set as AbstractSet

from weft.net import Http, NotTls, read_url
from weft.registry.elsewhere import is_loopback

__all__ = ["Origins"]

_ELSEWHERE = {"docker.io": "registry-1.docker.io"}
# What speaks no TLS mostly says so at once; a server that waits for more is given up on.
_PROBE_SECONDS = 5.0


class Origins:
    """The base URLs of the registries of a run; each is found out once."""

    def __init__(self, http: Http, plain: AbstractSet[str] = frozenset()) -> None:
        self._http = http
        self._plain = plain
        self._known: dict[str, str] = {}
        self._probing = asyncio.Lock()

    async def of(self, registry: str) -> str:
        """``https://host[:port]`` or ``http://…``.

        Raises ``HttpFailure`` when a local one is not there, or the name can be nobody's.
        """
        if registry not in self._known:
            async with self._probing:
                if registry not in self._known:
                    self._known[registry] = await self._find(registry)
        return self._known[registry]

    async def _find(self, registry: str) -> str:
        host = _ELSEWHERE.get(registry, registry)
        secure = f"https://{host}"
        parts = read_url(secure)
        if registry in self._plain:
            return f"http://{host}"
        if is_loopback(parts.hostname or "") and not await self._speaks_tls(secure):
            return f"http://{host}"
        return secure

    async def _speaks_tls(self, url: str) -> bool:
        try:
            async with asyncio.timeout(_PROBE_SECONDS), self._http.request("GET", f"{url}/v2/"):
                return True
        except (NotTls, TimeoutError):
            return False
