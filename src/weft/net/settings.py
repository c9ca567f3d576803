"""What libcurl is told before a request: whom to trust, which way to go, what never to do."""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

import pycurl

from weft.net.addresses import IpNetwork, is_closed
from weft.net.network import Trust, versions
from weft.net.urls import read_url

__all__ = ["guard", "refuse_surprises", "route", "trust"]

_CONNECT_SECONDS = 15
_SUPPRESS_CONNECT_HEADERS = 265  # pycurl has no name for it
_BUFFER_BYTES = 256 * 1024


class _Options(NamedTuple):
    """Which of libcurl's options say whom to believe."""

    file: int
    folder: int
    blob: int
    flags: int


_OF_HOST = _Options(pycurl.CAINFO, pycurl.CAPATH, pycurl.CAINFO_BLOB, pycurl.SSL_OPTIONS)
_OF_PROXY = _Options(
    pycurl.PROXY_CAINFO, pycurl.PROXY_CAPATH, pycurl.PROXY_CAINFO_BLOB, pycurl.PROXY_SSL_OPTIONS
)


def refuse_surprises(curl: pycurl.Curl) -> None:
    """No redirect, no cookie, no signal, nothing unpacked, no version of HTTP but 1.1; bounded beginnings."""
    for option, value in (
        (pycurl.NOSIGNAL, 1),
        (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
        (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),
        (pycurl.HTTP_CONTENT_DECODING, 0),
        (pycurl.PATH_AS_IS, 1),
        (pycurl.CONNECTTIMEOUT, _CONNECT_SECONDS),
        (pycurl.TCP_KEEPALIVE, 1),
        (pycurl.BUFFERSIZE, _BUFFER_BYTES),
        (pycurl.UPLOAD_BUFFERSIZE, _BUFFER_BYTES),
    ):
        curl.setopt(option, value)


def route(curl: pycurl.Curl, url: str, proxy: str | None, authorities: Sequence[Path]) -> None:
    """Where to connect: to the URL's host, or to ``proxy``, which ``authorities`` and the system's vouch for.

    libcurl's own reading of the environment is switched off: ``Network`` has done it.
    """
    secure = proxy is not None and read_url(proxy).scheme == "https"
    curl.setopt(pycurl.URL, url)
    curl.setopt(pycurl.PROXY, proxy or "")
    curl.setopt(pycurl.PROXYPORT, 443 if secure else 80)  # of a proxy that names none; libcurl's is 1080
    curl.setopt(pycurl.NOPROXY, "")
    curl.setopt(_SUPPRESS_CONNECT_HEADERS, 1)  # what a proxy says of its tunnel is no answer
    if secure:
        _believe(curl, authorities, _OF_PROXY, system=True)


def guard(curl: pycurl.Curl, closed: Sequence[IpNetwork], met: list[str]) -> None:
    """Connect to no closed address, whatever name led there; such an address is added to ``met``."""

    def opened(_purpose: int, address: tuple[int, int, int, tuple[str, int]]) -> "socket.socket | int":
        family, kind, protocol, (host, *_) = address
        if is_closed(host, closed):
            met.append(host)
            return int(pycurl.SOCKET_BAD)
        try:
            made = socket.socket(family, kind, protocol)
        except OSError:  # no more files, or none of this family
            return int(pycurl.SOCKET_BAD)
        asyncio.get_running_loop().call_soon(made.close)  # libcurl gets a duplicate
        return made

    curl.setopt(pycurl.OPENSOCKETFUNCTION, opened)


def trust(curl: pycurl.Curl, url: str, believed: Trust) -> None:
    """Whom to believe at ``url``, and who we are. Raises ``UsageError`` naming the file that is wrong."""
    believed.check()
    _believe(curl, believed.authorities, _OF_HOST, system=believed.system)
    if believed.name:
        _expect(curl, url, believed.name)
    if believed.certificate:
        curl.setopt(pycurl.SSLCERT, bytes(believed.certificate))
        curl.setopt(pycurl.SSLKEY, bytes(believed.key or believed.certificate))
    if believed.insecure:
        curl.setopt(pycurl.SSL_VERIFYPEER, 0)
        curl.setopt(pycurl.SSL_VERIFYHOST, 0)


def _expect(curl: pycurl.Curl, url: str, name: str) -> None:
    """Connect as before, but to who is called ``name``; the request still says whom it is for."""
    parts = urlsplit(url)
    port = parts.port or 443
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    named = urlunsplit(parts._replace(netloc=f"{name}:{port}"))
    read_url(named)
    curl.setopt(pycurl.CONNECT_TO, [f"{name}:{port}:{host}:{port}"])
    curl.setopt(pycurl.URL, named)


def _believe(curl: pycurl.Curl, authorities: Sequence[Path], options: _Options, *, system: bool) -> None:
    file, folder = _system() if system else (None, None)
    files = [*authorities, *([Path(file)] if file else [])]
    curl.unsetopt(options.file)
    curl.unsetopt(options.folder)
    if folder:
        curl.setopt(options.folder, bytes(Path(folder)))
    if len(files) == 1:
        curl.setopt(options.file, bytes(files[0]))
    elif files:
        curl.setopt(options.blob, _joined(tuple(files), versions(files)))
    if system and not (file or folder):
        curl.setopt(options.flags, pycurl.SSLOPT_NATIVE_CA)


def _system() -> tuple[str | None, str | None]:
    """The file and the folder of the system's authorities: a wheel's libcurl knows another system's."""
    paths = ssl.get_default_verify_paths()
    return paths.cafile, paths.capath


@lru_cache(maxsize=32)
def _joined(files: tuple[Path, ...], _versions: tuple[object, ...]) -> bytes:
    return b"\n".join(path.read_bytes() for path in files)
