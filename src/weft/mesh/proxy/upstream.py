"""Where requests go after the filters: a URL without a path."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from weft.errors import UsageError

__all__ = ["Upstream"]

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Upstream:
    """A server that speaks HTTP, in the clear or over TLS."""

    host: str
    port: int
    tls: bool = False

    @classmethod
    def parse(cls, url: str) -> "Upstream":
        """Read ``http://host[:port]`` or ``https://…``; raises ``UsageError`` that says what is wrong."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise UsageError(f"{url!r} is not a URL: {error}", hint=_EXAMPLE) from error
        if parts.scheme not in _PORTS or not parts.hostname:
            raise UsageError(f"{url!r} must start with http:// or https:// and name a host", hint=_EXAMPLE)
        if parts.username is not None or parts.path not in {"", "/"} or parts.query or parts.fragment:
            raise UsageError(f"{url!r} must name a server, nothing more", hint=_EXAMPLE)
        return cls(parts.hostname, port or _PORTS[parts.scheme], tls=parts.scheme == "https")

    @property
    def authority(self) -> str:
        """What a client of this server writes into the ``host`` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS["https" if self.tls else "http"] else f"{host}:{self.port}"

    @property
    def is_address(self) -> bool:
        """Whether the host is an IP address, so no name need be resolved."""
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return False
        return True


_EXAMPLE = "for example http://127.0.0.1:3000 or https://example.com"
