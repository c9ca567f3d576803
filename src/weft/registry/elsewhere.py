"""Whether we go where a registry sends us: a token realm, an upload's Location, a redirect. Pure.

Whoever answers at a registry's address chooses these URLs. The rules:

* http or https, with a host, without a user name;
* from a registry reached over TLS, never to plain text;
* never to an address that only means something on *our* side (this machine, a cloud's metadata service, a
  private network), unless the registry is there too. A redirected download may go to a private network: it
  carries no credential, its content is verified, and registries beside an object store do that.

After Istio's agent (``rejected unsafe bearer realm``), with the registry's own address as the exception that
makes ``localhost:5000`` work. Whether a credential goes along is not decided here: only ``same_origin`` may
get one, and a realm.
"""

import ipaddress
import re
from urllib.parse import urljoin, urlsplit

from weft.errors import WeftError
from weft.net import HttpFailure, read_url

__all__ = [
    "Misled",
    "check_download",
    "check_realm",
    "check_upload",
    "is_loopback",
    "join",
    "origin",
    "same_origin",
]

_METADATA_HOSTS = frozenset({"metadata.google.internal", "metadata"})
# `127.1` and `0x7f000001` are addresses to the system's resolver, and names to everybody else.
_DISGUISED = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_MAX_SHOWN = 200
_UNENCRYPTED = "it is not encrypted, and the registry is"
# What it nearly always is, when the host is the same.
_BEHIND_A_PROXY = (
    "the registry does not know that it is reached over TLS: its proxy must set X-Forwarded-Proto"
)


class Misled(WeftError):
    """A registry that sends us to a place where we must not go."""

    temporary = False


def check_realm(realm: str, registry: str) -> None:
    """Raise ``Misled`` unless a token for the registry at the URL ``registry`` may be asked of ``realm``."""
    if reason := _refusal(realm, registry) or _inside(realm, registry):
        raise _misled(realm, registry, f"for a token: {reason}")


def check_upload(location: str, registry: str) -> None:
    """Raise ``Misled`` unless an upload of the registry may go on at ``location``."""
    if reason := _refusal(location, registry) or _inside(location, registry):
        raise _misled(location, registry, f"with an upload: {reason}")


def check_download(location: str, registry: str) -> None:
    """Raise ``Misled`` unless a download of the registry may be read from ``location``."""
    if reason := _refusal(location, registry) or _inside(location, registry, private_is_fine=True):
        raise _misled(location, registry, f"for a download: {reason}")


def join(base: str, target: str, registry: str) -> str:
    """``target``, a URL or a part of one, as the answer of ``base`` means it; raises ``Misled`` for none."""
    try:
        url = urljoin(base, target)
        origin(url)
    except ValueError as error:
        raise _misled(target, registry, "to go on: it is no URL") from error
    return url


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port: what a credential belongs to."""
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)


def same_origin(one: str, other: str) -> bool:
    """Whether two URLs have the same scheme, host and port."""
    return origin(one) == origin(other)


def is_loopback(host: str) -> bool:
    """``localhost`` or an address of this machine's own."""
    address = _address(host)
    return host.lower().rstrip(".") == "localhost" or (address is not None and address.is_loopback)


def _refusal(url: str, registry: str) -> str | None:
    """What is wrong with the URL itself."""
    try:
        scheme, host, _ = origin(url)
    except ValueError:
        return "it is no URL"
    if scheme not in _DEFAULT_PORTS:
        return "it is neither http nor https"
    if not host:
        return "it names no host"
    if "@" in urlsplit(url).netloc:
        return "it carries a user name"
    if urlsplit(registry).scheme == "https" and scheme == "http" and not is_loopback(host):
        return _UNENCRYPTED
    return None if _plain(url) else "it is no URL"


def _plain(url: str) -> bool:
    """Whether who connects reads it as we do."""
    try:
        read_url(url)
    except HttpFailure:
        return False
    return True


def _inside(url: str, registry: str, *, private_is_fine: bool = False) -> str | None:
    """Why the host means something only to us, if it does and the registry is not there too."""
    host, ours = origin(url)[1].rstrip("."), origin(registry)[1].rstrip(".")
    if host == ours or (is_loopback(host) and is_loopback(ours)):
        return None
    if host in _METADATA_HOSTS:
        return "it is a cloud's metadata service"
    address = _address(host)
    if address is None:
        here = host == "localhost" or host.endswith(".localhost")
        disguised = _DISGUISED.fullmatch(host)
        return "it is this machine" if here else "it is an address in disguise" if disguised else None
    reasons = (
        (address.is_loopback or address.is_unspecified, "it is this machine"),
        (address.is_link_local, "it is a link-local address"),
        (not address.is_global and not private_is_fine, "it is an address of a private network"),
    )
    return next((reason for applies, reason in reasons if applies), None)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _misled(url: str, registry: str, why: str) -> Misled:
    shown = "".join(letter for letter in url.partition("?")[0][:_MAX_SHOWN] if letter.isprintable())
    host = urlsplit(registry).netloc
    hint = _BEHIND_A_PROXY if why.endswith(_UNENCRYPTED) and f"//{host}/" in f"{shown}/" else None
    return Misled(f"{host} sends us to {shown!r} {why}; nothing was sent there", hint=hint)
