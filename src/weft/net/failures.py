"""The HTTP library's exceptions in our words, and whether waiting may help."""

import ssl
from urllib.parse import urlsplit

import aiohttp

from weft.net.errors import HttpFailure, NotTls, Untrusted

__all__ = ["broken", "place", "refused"]

# What OpenSSL calls an answer that is no TLS record; which one depends on its version and on the answer.
_NOT_TLS = frozenset(
    {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"}
)


def place(url: str) -> str:
    """``host:port`` of ``url``: enough to find it, without the tokens a query may hold."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2]


# Which exception, what we say, whether trying again may help; the first that fits.
_REFUSALS: tuple[tuple[type[Exception], str, bool], ...] = (
    (aiohttp.ClientConnectorDNSError, "no address for {where}: {reason}", True),
    (aiohttp.ClientProxyConnectionError, "cannot connect to the proxy for {where}: {reason}", True),
    (aiohttp.ClientHttpProxyError, "the proxy refused {where}: {reason}", False),
    (aiohttp.ClientResponseError, "{method} {where}: the answer breaks HTTP or our limits: {reason}", False),
    (aiohttp.InvalidURL, "not a URL that can be asked: {where!r}", False),
    (aiohttp.ClientConnectorError, "cannot connect to {where}: {reason}", True),
    (TimeoutError, "{method} {where}: no answer in time", True),
    (Exception, "{method} {where}: the connection broke: {reason}", True),
)


def refused(error: Exception, method: str, url: str) -> HttpFailure:
    """Why there is no answer."""
    where = place(url)
    if isinstance(error, aiohttp.ClientSSLError):
        return _tls(error, where)
    words, temporary = next(entry[1:] for entry in _REFUSALS if isinstance(error, entry[0]))
    message = words.format(method=method, where=where, reason=_reason(error))
    return HttpFailure(message, temporary=temporary)


def broken(error: Exception, url: str) -> HttpFailure:
    """Why a body is not whole."""
    if isinstance(error, TimeoutError):
        return HttpFailure(f"{place(url)} fell silent in the middle of a body", temporary=True)
    return HttpFailure(f"{place(url)} broke off in the middle of a body", temporary=True)


def _tls(error: aiohttp.ClientSSLError, where: str) -> HttpFailure:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        why = getattr(error.certificate_error, "verify_message", "") or str(error.certificate_error)
        return Untrusted(
            f"{where} is not who it should be: {_line(why)}",
            temporary=False,
            hint="name the authority that signed its certificate: --ca-file FILE",
        )
    cause = error.__cause__ if isinstance(error.__cause__, ssl.SSLError) else None
    reason = (cause.reason if cause else None) or _reason(error)
    if reason in _NOT_TLS:
        return NotTls(
            f"{where} does not speak TLS", temporary=False, hint="if that is how it should be: --plain-http"
        )
    return HttpFailure(f"no TLS connection to {where}: {reason}", temporary=False)


def _reason(error: Exception) -> str:
    inner = getattr(error, "os_error", None) or error
    text = getattr(inner, "strerror", None) or getattr(inner, "message", None) or str(inner)
    return _line(text or type(inner).__name__)


def _line(text: str) -> str:
    """Foreign words as one short line."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:200]
