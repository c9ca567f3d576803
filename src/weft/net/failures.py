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
    r"^(SSL certificate problem|SSL certificate OpenSSL verify result|SSL|TLS connect error): | \(\d+\)$"
)
_WEIRD_SERVER_REPLY, _TOO_LARGE, _BAD_PROXY = 8, 100, 97
_LIMITS = {pycurl.E_UNSUPPORTED_PROTOCOL, pycurl.E_WRITE_ERROR, _WEIRD_SERVER_REPLY, _TOO_LARGE}
_CERTIFICATE = {pycurl.E_SSL_CONNECT_ERROR, pycurl.E_SSL_CERTPROBLEM, pycurl.E_SSL_CIPHER}


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
    code, where, curl = error.args[0], place(url), transfer.curl
    reason = _reason(error)
    tunnel = curl.getinfo(pycurl.HTTP_CONNECTCODE)
    if code == pycurl.E_OPERATION_TIMEDOUT:
        return silent(method, url)
    if code == pycurl.E_PEER_FAILED_VERIFICATION:
        return Untrusted(
            f"{where} is not who it should be: {reason}",
            temporary=False,
            hint="name the authority that signed its certificate: --ca-file FILE",
        )
    if code in _CERTIFICATE:
        return _without_tls(where, reason)
    if code in _LIMITS:
        return HttpFailure(
            f"{method} {where}: the answer breaks HTTP or our limits: {transfer.excess or reason}", temporary=False
        )
    if code == pycurl.E_URL_MALFORMAT:
        return HttpFailure(f"not a URL that can be asked: {where!r}", temporary=False)
    if tunnel and tunnel >= HTTPStatus.MULTIPLE_CHOICES:
        return HttpFailure(f"the proxy refused {where}: {_phrase(tunnel)}", temporary=False)
    return HttpFailure(_unreached(code, curl, method, where, reason), temporary=True)


def broken(url: str) -> HttpFailure:
    """A body is not whole."""
    return HttpFailure(f"{place(url)} broke off in the middle of a body", temporary=True)


def _unreached(code: int, curl: pycurl.Curl, method: str, where: str, reason: str) -> str:
    number = curl.getinfo(pycurl.OS_ERRNO)
    why = os.strerror(number) if number else reason
    if code == pycurl.E_COULDNT_RESOLVE_HOST:
        return f"no address for {where}: {reason}"
    if code in {pycurl.E_COULDNT_RESOLVE_PROXY, _BAD_PROXY}:
        return f"cannot connect to the proxy for {where}: {reason}"
    if code == pycurl.E_COULDNT_CONNECT:
        return f"cannot connect to {where}: {why}"
    return f"{method} {where}: the connection broke: {why}"


def _without_tls(where: str, reason: str) -> HttpFailure:
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
    """libcurl's words as one short line."""
    text = str(error.args[1]) if len(error.args) > 1 else ""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return _AROUND_REASON.sub("", line)[:200] or pycurl.easy_strerror(error.args[0])
