"""The HTTP client against servers that behave, and against some that do not."""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path

import pytest
from aiohttp import web

from weft.errors import UsageError
from weft.net import Body, Http, HttpFailure, Network, NotTls, Proxies, Trust, Untrusted
from worlds.certificates import certificates
from worlds.http import Handler, answer, hang_up, serving, short, speaking


async def ask(host: str, *, network: Network | None = None, scheme: str = "http") -> tuple[int, bytes]:
    async with (
        Http(network or Network()) as http,
        http.request("GET", f"{scheme}://{host}/x") as response,
    ):
        return response.status, await response.read(1_000_000, "the page")


async def test_a_redirect_is_an_answer_like_any_other() -> None:
    async with (
        serving(answer(307, location="http://elsewhere/")) as host,
        Http(Network()) as http,
        http.request("GET", f"http://{host}/") as response,
    ):
        assert (response.status, response.headers["location"]) == (307, "http://elsewhere/")


async def test_bytes_come_as_they_were_sent() -> None:
    seen: list[str] = []

    async def handler(request: web.BaseRequest) -> web.Response:
        seen.append(request.headers["Accept-Encoding"])
        return web.Response(body=b"\x1f\x8b not gzip", headers={"Content-Encoding": "gzip"})

    async with serving(handler) as host:
        assert await ask(host) == (200, b"\x1f\x8b not gzip")
    assert seen == ["identity"]


_CHUNKS = b"".join(b"1\r\n%c\r\n" % byte for byte in b"hello" * 1000)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"Content-Length: 5000\r\n\r\n" + b"hello" * 1000, id="of a known length"),
        pytest.param(
            b"Transfer-Encoding: chunked\r\n\r\n" + _CHUNKS + b"0\r\n\r\n", id="in chunks of a byte"
        ),
        pytest.param(b"\r\n" + b"hello" * 1000, id="until the connection ends"),
    ],
)
async def test_a_body_is_whole_however_its_end_is_told(raw: bytes) -> None:
    async with speaking(b"HTTP/1.1 200 OK\r\n" + raw) as host:
        assert await ask(host) == (200, b"hello" * 1000)


async def test_an_answer_larger_than_its_limit_is_refused() -> None:
    async with serving(answer(200, b"x" * 2_000_000)) as host:
        with pytest.raises(HttpFailure) as caught:
            await ask(host)
    assert str(caught.value) == f"the page from {host} is larger than 1000000 bytes"
    assert not caught.value.temporary


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(
            b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(200)), id="too many headers"
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000, id="a header too long"),
        pytest.param(b"HTTP/1.1 200 " + b"y" * 100_000, id="a status line too long"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2", id="no HTTP at all"),
        pytest.param(b"\r\n\r\nHTTP/1.1 200 OK", id="nothing before the status"),
        pytest.param(b"HTTP/1.1 20000 OK", id="a status too long"),
        pytest.param(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x", id="another protocol"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: a\0b", id="NUL in a header"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked", id="packed on the way"),
    ],
)
async def test_an_answer_that_breaks_the_rules_is_refused_for_good(
    raw: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    async with speaking(raw + b"\r\nContent-Length: 0\r\n\r\n") as host:
        with pytest.raises(HttpFailure, match="the answer breaks HTTP or our limits: ") as caught:
            await ask(host)
    assert not caught.value.temporary
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("length", "size"),
    [("5", 5), ("9" * 18, 10**18 - 1), ("9" * 5000, None)],
    ids=["a number", "a large one", "one too large"],
)
async def test_a_length_is_believed_as_far_as_a_body_can_reach(length: str, size: int | None) -> None:
    async with (
        speaking(b"HTTP/1.1 200 OK\r\nContent-Length: %b\r\n\r\nhello" % length.encode()) as host,
        Http(Network()) as http,
        http.request("HEAD", f"http://{host}/") as response,
    ):
        assert response.size == size


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        pytest.param(hang_up, "GET {host}: the connection broke: ", id="no answer"),
        pytest.param(short(b"abc", 10), "{host} broke off in the middle of a body", id="half a body"),
    ],
)
async def test_a_broken_connection_may_be_tried_again(fault: Handler, complaint: str) -> None:
    async with serving(fault) as host:
        with pytest.raises(HttpFailure) as caught:
            await ask(host)
    assert str(caught.value).startswith(complaint.format(host=host))
    assert caught.value.temporary


async def test_nobody_there_is_said_plainly() -> None:
    async with serving(answer(200)) as host:
        pass
    with pytest.raises(HttpFailure) as caught:
        await ask(host)
    assert str(caught.value) == f"cannot connect to {host}: Connection refused"
    assert caught.value.temporary


async def test_silence_ends() -> None:
    async def handler(request: web.BaseRequest) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async with serving(handler) as host, Http(Network(), idle=0.05) as http:
        with pytest.raises(HttpFailure) as caught:
            async with http.request("GET", f"http://{host}/"):
                pass
    assert str(caught.value) == f"GET {host}: no answer in time"


async def test_silence_in_the_middle_of_a_body_ends() -> None:
    """A watch whose server died without a word."""
    gone = asyncio.Event()

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"one")
        await gone.wait()
        return response

    async with serving(handler) as host, Http(Network(), idle=0.2) as http:
        async with http.request("GET", f"http://{host}/") as response:
            chunks = response.chunks()
            assert await anext(chunks) == b"one"
            with pytest.raises(HttpFailure) as caught:
                await anext(chunks)
        gone.set()
    assert str(caught.value) == f"{host} fell silent in the middle of a body"
    assert caught.value.temporary


async def test_an_upload_that_nobody_reads_ends() -> None:
    over, closed = asyncio.Event(), asyncio.Event()

    async def deaf(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.transport.abort()
        closed.set()

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(1_000_000)

    server = await asyncio.start_server(deaf, "127.0.0.1", 0, limit=1)
    host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, Http(Network(), idle=0.2) as http:
        with pytest.raises(HttpFailure) as caught:
            async with http.request("PUT", f"http://{host}/", body=Body(endless(), 10**12)):
                pass
        over.set()
        await closed.wait()
    assert str(caught.value) == f"PUT {host}: no answer in time"


async def test_what_the_body_raises_comes_out_as_it_was() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"abc"
        raise UsageError("the disk is on fire")

    async def handler(request: web.BaseRequest) -> web.Response:
        await request.content.read()
        return web.Response()

    async with serving(handler) as host, Http(Network()) as http:
        with pytest.raises(UsageError, match="the disk is on fire"):
            async with http.request("PUT", f"http://{host}/", body=Body(broken(), 10)):
                pass


async def test_a_body_is_sent_with_its_length() -> None:
    async def three() -> AsyncIterator[bytes]:
        yield b"a"
        yield b"bc"

    async def handler(request: web.BaseRequest) -> web.Response:
        return web.Response(text=f"{request.headers['Content-Length']} {await request.text()}")

    async with (
        serving(handler) as host,
        Http(Network()) as http,
        http.request("PUT", f"http://{host}/", body=Body(three(), 3)) as response,
    ):
        assert await response.read(100, "") == b"3 abc"


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "[fe80::1]", "100.100.100.200", "[fd00:ec2::254]", "[::ffff:169.254.169.254]"]
)
async def test_a_cloud_s_secrets_are_never_asked_for(host: str) -> None:
    with pytest.raises(HttpFailure, match="is an address that weft never connects to"):
        await ask(host)


@pytest.mark.parametrize("name", ["2852039166", "0xa9fea9fe", "169.254.43518"])
async def test_an_address_cannot_hide_in_another_spelling(name: str) -> None:
    with pytest.raises(HttpFailure, match=r"169\.254\.169\.254 is an address that weft never connects to"):
        await ask(name)


async def test_a_name_cannot_hide_a_closed_address() -> None:
    closed = Network(closed=(ip_network("127.0.0.0/8"), ip_network("::1/128")))
    with pytest.raises(HttpFailure, match=r"(127\.0\.0\.1|::1) is an address that weft never connects to"):
        await ask("localhost", network=closed)


_NEVER = f"Fri, 01 Jan {'9' * 30} 00:00:00 GMT"


@pytest.mark.parametrize(
    ("text", "seconds"), [("7", 7), ("", 0), ("soon", 0), ("Fri, 01 Jan 2021 00:00:00 GMT", 0), (_NEVER, 0)]
)
async def test_retry_after_is_read_as_far_as_it_can_be(text: str, seconds: float) -> None:
    async with (
        serving(answer(429, retry_after=text)) as host,
        Http(Network()) as http,
        http.request("GET", f"http://{host}/") as response,
    ):
        assert response.retry_after == seconds


async def test_a_request_goes_through_the_proxy_that_is_named() -> None:
    seen: list[str] = []

    async def proxy(request: web.BaseRequest) -> web.Response:
        seen.append(f"{request.method} {request.raw_path} {request.headers.get('Proxy-Authorization')}")
        return web.Response(text="from far away")

    async with serving(proxy) as host:
        network = Network(proxies=Proxies(http=f"http://me:pw@{host}"))
        assert await ask("hub.example.com", network=network) == (200, b"from far away")
    assert seen == ["GET http://hub.example.com/x Basic bWU6cHc="]


async def test_a_proxy_that_refuses_is_named() -> None:
    async with serving(answer(403)) as host:
        with pytest.raises(HttpFailure) as caught:
            await ask(
                "hub.example.com", network=Network(proxies=Proxies(https=f"http://{host}")), scheme="https"
            )
    assert str(caught.value) == "the proxy refused hub.example.com: Forbidden"


async def test_a_server_without_tls_is_told_apart() -> None:
    async with serving(answer(200)) as host:
        with pytest.raises(NotTls, match=f"{host} does not speak TLS"):
            await ask(host, scheme="https")


@pytest.mark.real("openssl")
class TestTls:
    """Who is believed, and who believes us."""

    async def test_a_stranger_s_certificate_is_refused_with_the_reason(self) -> None:
        async with serving(answer(200), certificates().server_context()) as host:
            with pytest.raises(HttpFailure) as caught:
                await ask(host, scheme="https")
        assert str(caught.value) == f"{host} is not who it should be: unable to get local issuer certificate"
        assert not caught.value.temporary
        assert caught.value.hint == "name the authority that signed its certificate: --ca-file FILE"

    async def test_an_authority_of_the_user_s_own_is_believed(self) -> None:
        network = Network(trust=Trust(authorities=(certificates().authority,)))
        async with serving(answer(200, b"hello"), certificates().server_context()) as host:
            assert await ask(host, scheme="https", network=network) == (200, b"hello")

    async def test_insecure_is_for_one_host_only(self) -> None:
        context = certificates().server_context()
        async with serving(answer(200), context) as host, serving(answer(200), context) as other:
            network = Network(hosts={host: Trust(insecure=True)})
            assert (await ask(host, scheme="https", network=network))[0] == 200
            with pytest.raises(HttpFailure, match="is not who it should be"):
                await ask(other, scheme="https", network=network)

    async def test_trust_in_a_name_is_not_lent_to_its_address(self) -> None:
        """Connections stay open: neither belief nor our certificate may come with one that is used again."""
        files, shown = certificates(), list[bool]()

        async def handler(request: web.BaseRequest) -> web.Response:
            assert request.transport is not None
            shown.append(bool(request.transport.get_extra_info("peercert")))
            return web.Response()

        context = files.server_context(ask_client=True)
        context.verify_mode = ssl.CERT_OPTIONAL
        mine = Trust(authorities=(files.authority,), certificate=files.client, key=files.client_key)
        async with serving(handler, context) as host:
            other = f"localhost:{host.rpartition(':')[2]}"
            known = Trust(authorities=(files.authority,))
            async with Http(Network(hosts={host: mine, other: known})) as http:
                for each in (host, other):
                    async with http.request("GET", f"https://{each}/"):
                        pass
            async with Http(Network(hosts={host: Trust(insecure=True)})) as http:
                async with http.request("GET", f"https://{host}/"):
                    pass
                with pytest.raises(Untrusted, match=f"{other} is not who it should be"):
                    async with http.request("GET", f"https://{other}/"):
                        pass
        assert shown == [True, False, False]

    @pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
    async def test_versions_that_are_broken_are_not_spoken(self, version: ssl.TLSVersion) -> None:
        context = certificates().server_context()
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings(action="ignore"):
            context.minimum_version = context.maximum_version = version
        async with serving(answer(200), context) as host:
            with pytest.raises(HttpFailure, match=f"^no TLS connection to {host}: [a-z]") as caught:
                await ask(host, scheme="https", network=Network(hosts={host: Trust(insecure=True)}))
        assert "error:" not in str(caught.value)

    async def test_a_client_certificate_is_found_where_docker_keeps_it(self, tmp_path: Path) -> None:
        files = certificates()
        async with serving(answer(200, b"hello"), files.server_context(ask_client=True)) as host:
            with pytest.raises(HttpFailure):
                await ask(host, scheme="https", network=Network(trust=Trust(authorities=(files.authority,))))
            home = tmp_path / "J\u00fcrgen"
            folder = home / ".docker/certs.d" / host
            folder.mkdir(parents=True)
            (folder / "ca.crt").write_bytes(files.authority.read_bytes())
            (folder / "client.cert").write_bytes(files.client.read_bytes())
            (folder / "client.key").write_bytes(files.client_key.read_bytes())
            network = Network.from_env({"HOME": str(home)})
            assert await ask(host, scheme="https", network=network) == (200, b"hello")

    @pytest.mark.parametrize(
        ("trust", "complaint"),
        [
            pytest.param(
                Trust(authorities=(Path("/no/ca.pem"),)),
                "cannot use the authorities in /no/ca.pem: No such file or directory",
                id="no authority",
            ),
            pytest.param(
                Trust(authorities=(Path(__file__),)),
                f"cannot use the authorities in {__file__}: NO_CERTIFICATE_OR_CRL_FOUND",
                id="not a certificate",
            ),
            pytest.param(
                Trust(certificate=Path("/no/c.pem"), key=Path("/no/k.pem")),
                "cannot use the client certificate /no/c.pem with /no/k.pem: No such file or directory",
                id="no client certificate",
            ),
        ],
    )
    async def test_a_file_that_cannot_be_used_is_named(self, trust: Trust, complaint: str) -> None:
        with pytest.raises(UsageError) as caught:
            await ask("localhost:1", scheme="https", network=Network(trust=trust))
        assert str(caught.value) == complaint


def test_the_environment_names_authorities_for_all_hosts() -> None:
    network = Network.from_env({"SSL_CERT_FILE": "/etc/company.pem", "HOME": "/home/me"})
    assert network.trust_for("hub.example.com").authorities == (Path("/etc/company.pem"),)
    assert Path("/etc/docker/certs.d") in network.certificates


@pytest.mark.real("openssl")
def test_a_file_that_became_another_is_looked_at_again(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(certificates().authority.read_bytes())
    trust = Trust(authorities=(path,))
    trust.check()
    path.write_bytes(b"no certificate")
    with pytest.raises(UsageError, match="cannot use the authorities in "):
        trust.check()
