"""URLs of strangers: what one reader takes for another host than the next is asked by nobody."""

import random
import re
from contextlib import suppress

import pytest
from aiohttp import web

from weft.net import Http, HttpFailure, Network, Proxies, Trust, read_url
from worlds.http import serving

_DOUBTFUL = [
    pytest.param("http://127.0.0.%31/", id="a digit in per cent"),
    pytest.param("http://loc%61lhost/", id="a letter in per cent"),
    pytest.param("http://127.0.0.1%2f.example.com/", id="a slash in per cent"),
    pytest.param("http://127.0.0.\uff11/", id="a wide digit"),
    pytest.param("http://\u2460\u2461\u2466.0.0.1/", id="digits in circles"),
    pytest.param("http://127\u30020\u30020\u30021/", id="dots of another script"),
    pytest.param("http://localho\u017ft/", id="a long s"),
    pytest.param("http://b\u00fccher.example/", id="a name that is not ASCII"),
    pytest.param("http://example.com\\@127.0.0.1/", id="a backslash"),
    pytest.param("http://127.0.0.1;example.com/", id="a semicolon"),
    pytest.param("http://127.0.0.1,example.com/", id="a comma"),
    pytest.param("http://127.0.0.1\0.example.com/", id="NUL"),
    pytest.param("http://127.0\t.0.1/", id="a tab"),
    pytest.param("http://example.com/\r\nX: y", id="a line of its own"),
    pytest.param("http://example.com/\nX", id="a line"),
    pytest.param("http://example.com/\n", id="a line at the end"),
    pytest.param(" http://example.com/", id="a blank before"),
    pytest.param("http://example.com/a b", id="a blank"),
    pytest.param("http://example.com/\u00e9", id="a path that is not ASCII"),
    pytest.param("http://example.com/\udcff", id="a path that is not Unicode"),
    pytest.param("http:///127.0.0.1/", id="three slashes"),
    pytest.param("http:/127.0.0.1/", id="one slash"),
    pytest.param("//127.0.0.1/", id="no scheme"),
    pytest.param("127.0.0.1", id="no scheme at all"),
    pytest.param("http://", id="no host"),
    pytest.param("http://../", id="no name"),
    pytest.param("http://example.com:80:81/", id="two ports"),
    pytest.param("http://example.com:65536/", id="a port too large"),
    pytest.param("http://example.com:0/", id="port 0"),
    pytest.param("http://example.com:-1/", id="a port below 0"),
    pytest.param("http://example.com:\uff11/", id="a wide port"),
    pytest.param("http://example.com:x/", id="a port that is no number"),
    pytest.param("http://[127.0.0.1]/", id="brackets around IPv4"),
    pytest.param("http://[:::1]/", id="brackets around nothing"),
    pytest.param("http://[v1.a]/", id="brackets of the future"),
    pytest.param("http://[::1]x/", id="more than brackets"),
    pytest.param("http://[::1/", id="half a bracket"),
    pytest.param("file:///etc/passwd", id="file"),
    pytest.param("gopher://example.com/", id="gopher"),
    pytest.param("http://" + "a" * 300 + "/", id="a name too long"),
    pytest.param("http://example.com/" + "a" * 9_000_000, id="too long"),
]


@pytest.mark.parametrize("url", _DOUBTFUL)
async def test_a_url_that_can_be_read_in_two_ways_is_not_asked(url: str) -> None:
    async with Http(Network()) as http:
        with pytest.raises(HttpFailure, match=r"^not a URL that can be asked: ") as caught:
            async with http.request("GET", url):
                pass
    assert not caught.value.temporary


def test_what_is_shown_of_a_url_is_short_and_keeps_secrets() -> None:
    with pytest.raises(HttpFailure) as caught:
        read_url("http://me:secret@127.0.0.\uff11/x?token=secret")
    assert str(caught.value) == r"not a URL that can be asked: '127.0.0.\uff11/x'"
    with pytest.raises(HttpFailure) as caught:
        read_url("http://h/" + "\u00e9" * 10_000)
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("http://example.com", "example.com", None),
        ("HTTPS://Example.COM:65535/A?b#c", "example.com", 65535),
        ("https://me:p@ss@my_registry.local:5000/v2/", "my_registry.local", 5000),
        ("http://localhost.?x=//@other/", "localhost.", None),
        ("http://[::ffff:127.0.0.1]:80/", "::ffff:127.0.0.1", 80),
        ("http://[fe80::1%25eth0]/", "fe80::1%25eth0", None),
        ("http://xn--bcher-kva.example/a'b\"<c>\\", "xn--bcher-kva.example", None),
    ],
)
def test_a_plain_url_is_read(url: str, host: str, port: int | None) -> None:
    parts = read_url(url)
    assert (parts.hostname, parts.port) == (host, port)


async def test_a_proxy_is_read_the_same_way() -> None:
    async with Http(Network(proxies=Proxies(http="http://pr\u043exy:3128"))) as http:
        with pytest.raises(HttpFailure, match=r"not a URL that can be asked: 'http://pr\\u043exy:3128'"):
            async with http.request("GET", "http://example.com/"):
                pass


async def test_a_name_to_be_believed_by_is_read_the_same_way() -> None:
    trusted = Trust(name="localho\u017ft")
    async with Http(Network(hosts={"localhost:1": trusted})) as http:
        with pytest.raises(HttpFailure, match=r"not a URL that can be asked: 'https://localho\\u017ft:1/'"):
            async with http.request("GET", "https://localhost:1/"):
                pass


_PIECES = [
    *("a", "b.example", "localhost", "[fd00::1]", "[fd00::1", "1::2]", "127.0.0.1", "_x", "x-"),
    *(
        "@",
        ":",
        "/",
        "//",
        "?",
        "#",
        "\\",
        "%",
        "%40",
        "%2e",
        ".",
        "..",
        ";",
        "&",
        "*",
        "!",
        "~",
        "80",
        "443",
        "0",
    ),
]


async def test_who_is_asked_is_who_was_read() -> None:
    """Whatever pieces a URL is made of: a proxy is told which host libcurl read."""
    asked: list[str] = []

    async def proxy(request: web.BaseRequest) -> web.Response:
        asked.append(request.headers["Host"].lower())
        return web.Response()

    chance, read = random.Random(7), list[str]()  # noqa: S311 - the same URLs every time
    async with serving(proxy) as through, Http(Network(proxies=Proxies(http=f"http://{through}"))) as http:
        for _ in range(6000):
            url = "http://" + "".join(chance.choices(_PIECES, k=chance.randrange(1, 7)))
            with suppress(HttpFailure):
                parts = read_url(url)
                host = parts.hostname or ""
                if re.fullmatch(r"(.*\.)?[0-9]+\.*", host) or host.rstrip(".") == "localhost" or ".." in host:
                    continue
                async with http.request("GET", url):
                    port = f":{parts.port}" if parts.port not in {None, 80} else ""
                    read.append(f"[{host}]{port}" if ":" in host else f"{host}{port}")
    assert len(read) > 200
    assert asked == read
