"""Which proxy a URL goes through, from the variables as they are in the wild."""

import pytest

from weft.errors import UsageError
from weft.net import Proxies

PROXY = "http://proxy:3128"


@pytest.mark.parametrize(
    ("env", "url", "proxy"),
    [
        pytest.param({}, "https://hub.example.com/", None, id="none"),
        pytest.param({"https_proxy": PROXY}, "https://hub.example.com/", PROXY, id="lower case"),
        pytest.param({"HTTPS_PROXY": PROXY}, "https://hub.example.com/", PROXY, id="upper case"),
        pytest.param(
            {"https_proxy": PROXY, "HTTPS_PROXY": "http://other"}, "https://h/", PROXY, id="lower case wins"
        ),
        pytest.param({"https_proxy": PROXY}, "http://hub.example.com/", None, id="of the other scheme"),
        pytest.param({"HTTP_PROXY": PROXY}, "http://hub.example.com/", PROXY, id="for plain http"),
        pytest.param({"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}, "http://h/", None, id="httpoxy"),
        pytest.param({"ALL_PROXY": PROXY}, "https://hub.example.com/", PROXY, id="for all"),
        pytest.param({"https_proxy": "proxy:3128"}, "https://h/", PROXY, id="without a scheme"),
        pytest.param({"https_proxy": PROXY}, "https://localhost:5000/", None, id="localhost"),
        pytest.param({"https_proxy": PROXY}, "https://127.0.0.2/", None, id="loopback"),
        pytest.param({"https_proxy": PROXY}, "https://[::1]:5000/", None, id="loopback, IPv6"),
    ],
)
def test_the_variables_decide(env: dict[str, str], url: str, proxy: str | None) -> None:
    assert Proxies.from_env(env).for_url(url) == proxy


@pytest.mark.parametrize(
    ("exceptions", "url", "direct"),
    [
        pytest.param("*", "https://hub.example.com/", True, id="all"),
        pytest.param("example.com", "https://example.com/", True, id="the host"),
        pytest.param("example.com", "https://hub.example.com/", True, id="a subdomain"),
        pytest.param(".example.com", "https://hub.example.com/", True, id="a suffix"),
        pytest.param("*.example.com", "https://hub.example.com/", True, id="a star"),
        pytest.param("example.com", "https://badexample.com/", False, id="not the end of a word"),
        pytest.param("example.com:5000", "https://example.com:5000/", True, id="host and port"),
        pytest.param("example.com:5000", "https://example.com/", False, id="another port"),
        pytest.param("example.com:443", "https://example.com/", True, id="the default port"),
        pytest.param("a.org, EXAMPLE.com ,b.org", "https://Example.COM/", True, id="a list, in any case"),
        pytest.param("10.0.0.0/8", "https://10.1.2.3:5000/", True, id="a network"),
        pytest.param("10.0.0.0/8", "https://11.1.2.3/", False, id="another network"),
        pytest.param("10.0.0.0/8", "https://host/", False, id="a network says nothing of names"),
        pytest.param("10.1.2.3", "https://10.1.2.3/", True, id="an address"),
        pytest.param("fd00::/8", "https://[fd00::5]/", True, id="an IPv6 network"),
        pytest.param("fd00::5", "https://[fd00::5]:5000/", True, id="an IPv6 address"),
        pytest.param("10.0.0.0/99", "https://10.1.2.3/", False, id="nonsense"),
        pytest.param("", "https://hub.example.com/", False, id="nothing"),
    ],
)
def test_no_proxy_lists_who_is_reached_directly(exceptions: str, url: str, direct: bool) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        proxies = Proxies.from_env({"https_proxy": PROXY, name: exceptions})
        assert proxies.for_url(url) == (None if direct else PROXY)


def test_a_proxy_that_cannot_be_used_is_named_without_its_password() -> None:
    with pytest.raises(UsageError) as caught:
        Proxies.from_env({"https_proxy": "socks5://me:secret@proxy:1080"})
    assert str(caught.value) == "https_proxy is socks5://proxy, which weft cannot use"
