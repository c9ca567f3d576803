"""libcurl's errors in our words, and whether waiting may help."""

import os
import re
from http import HTTPStatus
from urllib.parse import urlsplit

import pycurl

from weft.net.errors import HttpFailure, NotTls, Untrusted
from weft.net.transfer import Transfer

__all__ = ["broken", "closed", "place", "refused", "silent"]

# What OpenSSL calls an answer that is no TLS record; which one depends on its version and on the answer.
_NOT_TLS = re.compile("wrong version number|record layer failure|http request|packet length too long")
# What libcurl writes around the reason itself.
_AROUND_REASON = re.compile(
    r"^(SSL certificate problem|SSL certificate OpenSSL verify result|SSL|TLS connect error): "
    r"|^OpenSSL SSL_\w+: OpenSSL/\S+: |error:[0-9A-F]{8}:[^:]*:[^:]*:| \(\d+\)$|, errno \d+$"
)
_WEIRD_SERVER_REPLY, _BAD_PROXY, _TOO_LARGE = 8, 97, 100
_OF_TLS = {pycurl.E_SSL_CONNECT_ERROR, pycurl.E_SSL_CERTPROBLEM, pycurl.E_SSL_CIPHER}
_TO_PROXY = ("cannot connect to the proxy for {where}: {why}", True)
_LIMIT = ("{method} {where}: the answer breaks HTTP or our limits: {reason}", False)
_ENDED = ("{method} {where}: the connection broke: it ended without an answer", True)
# What we say, and whether trying again may help; ``why`` is the system's word where there is one.
_WORDS = {
    pycurl.E_OPERATION_TIMEDOUT: ("{method} {where}: no answer in time", True),
    pycurl.E_URL_MALFORMAT: ("not a URL that can be asked: {where!r}", False),
    pycurl.E_COULDNT_RESOLVE_HOST: ("no address for {where}: {reason}", True),
    pycurl.E_COULDNT_CONNECT: ("cannot connect to {where}: {why}", True),
    pycurl.E_COULDNT_RESOLVE_PROXY: _TO_PROXY,
    _BAD_PROXY: _TO_PROXY,
    pycurl.E_UNSUPPORTED_PROTOCOL: _LIMIT,
    pycurl.E_WRITE_ERROR: _LIMIT,
    _WEIRD_SERVER_REPLY: _LIMIT,
    _TOO_LARGE: _LIMIT,
    pycurl.E_BAD_CONTENT_ENCODING: _LIMIT,
    pycurl.E_SEND_FAIL_REWIND: _ENDED,
}
_BROKE = ("{method} {where}: the connection broke: {why}", True)


def place(url: str) -> str:
    """``host:port`` of ``url``: enough to find it, without the tokens a query may hold."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2]


def silent(method: str, url: str) -> HttpFailure:
    """Nothing came for too long."""
    return HttpFailure(f"{method} {place(url)}: no answer in time", temporary=True)


def closed(host: str) -> HttpFailure:
    """It leads to an address that is closed to us."""
    return HttpFailure(f"{host} is an address that weft never connects to", temporary=False)


def refused(error: pycurl.error, transfer: Transfer, method: str, url: str) -> HttpFailure:
    """Why there is no answer."""
    code, where, reason = int(error.args[0]), place(url), transfer.excess or _reason(error)
    if code == pycurl.E_PEER_FAILED_VERIFICATION or code in _OF_TLS:
        return _tls(code, where, reason)
    tunnel = transfer.curl.getinfo(pycurl.HTTP_CONNECTCODE)
    if tunnel >= HTTPStatus.MULTIPLE_CHOICES:
        return HttpFailure(f"the proxy refused {where}: {_phrase(tunnel)}", temporary=False)
    words, temporary = _WORDS.get(code, _BROKE)
    if code == pycurl.E_COULDNT_CONNECT and transfer.proxied:
        words, temporary = _TO_PROXY
    number = transfer.curl.getinfo(pycurl.OS_ERRNO)
    why = os.strerror(number) if number else reason
    return HttpFailure(words.format(method=method, where=where, reason=reason, why=why), temporary=temporary)


def broken(url: str) -> HttpFailure:
    """A body is not whole."""
    return HttpFailure(f"{place(url)} broke off in the middle of a body", temporary=True)


def _tls(code: int, where: str, reason: str) -> HttpFailure:
    if code == pycurl.E_PEER_FAILED_VERIFICATION:
        return Untrusted(
            f"{where} is not who it should be: {reason}",
            temporary=False,
            hint="name the authority that signed its certificate: --ca-file FILE",
        )
    if _NOT_TLS.search(reason):
        return NotTls(
            f"{where} does not speak TLS", temporary=False, hint="if that is how it should be: --plain-http"
        )
    return HttpFailure(f"no TLS connection to {where}: {reason}", temporary=False)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return str(status)


def _reason(error: pycurl.error) -> str:
    """Libcurl's words as one short line."""
    text = str(error.args[1]) if len(error.args) > 1 else ""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return _AROUND_REASON.sub("", line)[:200] or pycurl.easy_strerror(int(error.args[0]))
