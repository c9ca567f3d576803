"""The one way to speak HTTP: how every client of weft connects, trusts, waits and gives up.

An ``Http`` is opened once per run from a frozen ``Network``. It goes through the proxies of the environment
handed down, trusts what each host is to be trusted by, bounds every wait and every header, never follows a
redirect by itself and keeps no cookie. Failures are ``HttpFailure``s that know whether waiting helps.
Nothing of the library underneath, libcurl, shows.

May import: ``weft.base``, ``weft.errors``. The only package that imports ``pycurl``.
"""

from weft.net.errors import HttpFailure, NotTls, Untrusted
from weft.net.http import Body, Http, Response
from weft.net.network import Network, Trust
from weft.net.proxies import Proxies
from weft.net.urls import read_url

__all__ = [
    "Body",
    "Http",
    "HttpFailure",
    "Network",
    "NotTls",
    "Proxies",
    "Response",
    "Trust",
    "Untrusted",
    "read_url",
]
