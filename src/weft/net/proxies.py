"""Which proxy a URL goes through: the variables every HTTP program reads, as Go's and curl's do.

``http_proxy``, ``https_proxy``, ``all_proxy`` and ``no_proxy``, in either case; lower case wins. A loopback
address never goes through a proxy. ``no_proxy`` is a list of ``*``, hosts (their subdomains too),
``.suffix``, ``host:port``, addresses and networks (``10.0.0.0/8``).
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from weft.errors import UsageError

__all__ = ["Proxies"]

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies of this run; empty strings mean none."""

    http: str = ""
    https: str = ""
    exceptions: tuple[str, ...] = ()

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Proxies":
        """Read the variables; raises ``UsageError`` for a proxy that is no http(s) URL.

        ``HTTP_PROXY`` is not believed inside a CGI program, where a request's header sets it (httpoxy).
        """

        def value(name: str) -> str:
            return env.get(name) or env.get(name.upper()) or ""

        fallback = value("all_proxy")
        http = env.get("http_proxy") or ("" if "REQUEST_METHOD" in env else env.get("HTTP_PROXY", ""))
        exceptions = tuple(entry.strip().lower() for entry in value("no_proxy").split(",") if entry.strip())
        return cls(
            _proxy_url("http_proxy", http or fallback),
            _proxy_url("https_proxy", value("https_proxy") or fallback),
            exceptions,
        )

    def for_url(self, url: str) -> str | None:
        """The proxy for ``url``, or ``None`` to connect directly."""
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
        proxy = self.https if parts.scheme == "https" else self.http
        if not proxy or _is_loopback(host) or any(_excepts(entry, host, port) for entry in self.exceptions):
            return None
        return proxy


def _proxy_url(name: str, text: str) -> str:
    if not text:
        return ""
    url = text if "://" in text else f"http://{text}"
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        shown = f"{parts.scheme}://{parts.hostname or ''}"  # the rest may hold a password
        raise UsageError(f"{name} is {shown}, which weft cannot use", hint="set it to http://host:port")
    return url


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None


def _excepts(entry: str, host: str, port: int) -> bool:
    """Whether an entry of ``no_proxy`` names ``host``."""
    if entry == "*":
        return True
    address = _address(host)
    if address is not None and "/" in entry:
        try:
            return address in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    if _address(entry) is None:  # an address may have colons of its own
        entry, _, wanted = entry.partition(":")
        if wanted and wanted != str(port):
            return False
    elif address is not None:
        return _address(entry) == address
    entry = entry.removeprefix("*").removeprefix(".")
    return host == entry or host.endswith(f".{entry}")
