"""Names to addresses, without those that are closed to us."""

from collections.abc import Sequence
from socket import AddressFamily

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from weft.net.addresses import IpNetwork, is_closed
from weft.net.errors import HttpFailure

__all__ = ["Resolver"]


class Resolver(AbstractResolver):
    """The system's resolver behind a guard."""

    def __init__(self, closed: Sequence[IpNetwork]) -> None:
        self._closed = closed
        self._inner: ThreadedResolver | None = None

    def check(self, host: str) -> None:
        """Raise ``HttpFailure`` for an address that must not be reached."""
        if is_closed(host, self._closed):
            raise HttpFailure(f"{host} is an address that weft never connects to", temporary=False)

    async def resolve(
        self, host: str, port: int = 0, family: AddressFamily = AddressFamily.AF_INET
    ) -> list[ResolveResult]:
        """Every address of ``host``; raises ``HttpFailure`` when one of them is closed."""
        self._inner = self._inner or ThreadedResolver()
        found = await self._inner.resolve(host, port, family)
        for result in found:
            self.check(result["host"])
        return found

    async def close(self) -> None:
        """Let go of the system's resolver."""
        if self._inner:
            await self._inner.close()
