"""What libcurl is told, where no answer shows it."""

from typing import Any, cast

import pycurl
import pytest

from weft.net.settings import route


class Told(dict[int, Any]):
    """The options of a request, as they were set."""

    setopt = dict.__setitem__

    def unsetopt(self, option: int) -> None:
        self.pop(option, None)


@pytest.mark.parametrize(("proxy", "port"), [("http://proxy", 80), ("HTTPS://proxy/", 443), (None, 80)])
def test_a_proxy_that_names_no_port_has_that_of_its_scheme(proxy: str | None, port: int) -> None:
    """As in Go and Python; libcurl by itself would take 1080."""
    told = Told()
    route(cast("pycurl.Curl", told), "http://far.example.com/", proxy, ())
    assert (told[pycurl.PROXY], told[pycurl.PROXYPORT]) == (proxy or "", port)
