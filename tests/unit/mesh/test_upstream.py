"""An upstream is a URL of a server and nothing more."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from weft.errors import UsageError
from weft.mesh import Upstream


@pytest.mark.parametrize(
    ("url", "expected", "authority"),
    [
        ("http://127.0.0.1:3000", Upstream("127.0.0.1", 3000), "127.0.0.1:3000"),
        ("http://example.com", Upstream("example.com", 80), "example.com"),
        ("http://example.com/", Upstream("example.com", 80), "example.com"),
        ("https://Example.com", Upstream("example.com", 443, tls=True), "example.com"),
        ("https://example.com:8443", Upstream("example.com", 8443, tls=True), "example.com:8443"),
        ("http://example.com:443", Upstream("example.com", 443), "example.com:443"),
        ("https://[::1]:9", Upstream("::1", 9, tls=True), "[::1]:9"),
    ],
)
def test_a_url_is_read(url: str, expected: Upstream, authority: str) -> None:
    upstream = Upstream.parse(url)
    assert upstream == expected
    assert upstream.authority == authority


@pytest.mark.parametrize(("host", "is_address"), [("::1", True), ("10.0.0.1", True), ("ten.example", False)])
def test_addresses_need_no_name_service(host: str, is_address: bool) -> None:
    assert Upstream(host, 80).is_address is is_address


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("localhost:3000", "'localhost:3000' must start with http:// or https:// and name a host"),
        ("", "'' must start with http:// or https:// and name a host"),
        ("ftp://a", "'ftp://a' must start with http:// or https:// and name a host"),
        ("http://", "'http://' must start with http:// or https:// and name a host"),
        ("http://a:http", "'http://a:http' is not a URL: Port could not be cast to integer value as 'http'"),
        ("http://a:99999", "'http://a:99999' is not a URL: Port out of range 0-65535"),
        ("http://[::1", "'http://[::1' is not a URL: Invalid IPv6 URL"),
        ("http://a/path", "'http://a/path' must name a server, nothing more"),
        ("http://a?q=1", "'http://a?q=1' must name a server, nothing more"),
        ("http://me:secret@a", "'http://me:secret@a' must name a server, nothing more"),
    ],
)
def test_what_is_no_server_is_refused(url: str, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        Upstream.parse(url)
    assert str(caught.value) == complaint


@given(some.text())
def test_any_text_is_a_server_or_a_usage_error(text: str) -> None:
    for url in (text, f"http://{text}"):
        try:
            upstream = Upstream.parse(url)
        except UsageError:
            continue
        assert upstream.host
        assert upstream.authority
