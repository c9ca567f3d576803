"""How many connections there are, what is on them, and the ways that lead through a proxy."""

import asyncio
import gc
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from hashlib import sha256

import pytest
from aiohttp import web

from weft import __version__
from weft.net import Body, Http, HttpFailure, Network, Proxies, Trust, Untrusted
from worlds.certificates import certificates
from worlds.http import serving

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def talking(talk: Talk) -> AsyncIterator[str]:
    """``host:port`` of a server that does ``talk`` with everybody who comes."""

    async def with_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(with_one, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def pieces(*given: bytes) -> AsyncIterator[bytes]:
    for piece in given:
        yield piece


_ALL = [
    pytest.param("GET", None, 200, b"found", id="a page"),
    pytest.param("GET", None, 404, b"gone", id="a page that is not there"),
    pytest.param("HEAD", None, 200, b"found", id="headers alone"),
    pytest.param("POST", None, 202, b"", id="an empty answer"),
    pytest.param("POST", b"{}", 201, b"made", id="a document"),
    pytest.param("DELETE", None, 204, b"", id="no content"),
    pytest.param("GET", None, 304, b"", id="not modified"),
]


@pytest.mark.parametrize(("method", "body", "status", "text"), _ALL)
async def test_a_connection_is_used_again(method: str, body: bytes | None, status: int, text: bytes) -> None:
    came: list[object] = []

    async def handler(request: web.BaseRequest) -> web.Response:
        came.append(request.transport)
        return web.Response(status=status, body=text)

    async with serving(handler) as host, Http(Network()) as http:
        for _ in range(3):
            async with http.request(method, f"http://{host}/", body=body) as response:
                if method != "HEAD":
                    assert await response.read(100, "the page") == text
    assert (len(came), len(set(came))) == (3, 1)


async def test_no_more_connections_are_open_than_are_allowed() -> None:
    now, most = 0, 0

    async def handler(request: web.BaseRequest) -> web.Response:
        nonlocal now, most
        now, most = now + 1, max(most, now + 1)
        await asyncio.sleep(0.01)
        now -= 1
        return web.Response()

    async with serving(handler) as host, Http(Network(), connections=3) as http:

        async def ask() -> None:
            async with http.request("GET", f"http://{host}/"):
                pass

        async with asyncio.TaskGroup() as group:
            for _ in range(12):
                group.create_task(ask())
    assert most == 3


async def test_waiting_for_a_connection_is_no_silence() -> None:
    async def handler(request: web.BaseRequest) -> web.Response:
        await asyncio.sleep(0.15)
        return web.Response()

    async with serving(handler) as host, Http(Network(), idle=0.5, connections=1) as http:

        async def ask() -> int:
            async with http.request("GET", f"http://{host}/") as response:
                return response.status

        assert await asyncio.gather(*(ask() for _ in range(6))) == [200] * 6


async def test_what_nobody_takes_is_not_fetched() -> None:
    sent = 0

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(bytes(100_000))
            await writer.drain()
            sent += 100_000

    async with (
        talking(endless) as host,
        Http(Network()) as http,
        http.request("GET", f"http://{host}/") as response,
    ):
        chunks = aiter(response.chunks())
        size = len(await anext(chunks))
        await asyncio.sleep(0.2)
        before = sent
        await asyncio.sleep(0.2)
        assert sent == before
        while size <= before:
            size += len(await anext(chunks))


@pytest.mark.parametrize("body", [b"{}", b"", None])
async def test_a_post_is_not_sent_again_by_itself(body: bytes | None) -> None:
    """A connection that was used before ends without an answer: what was asked for may have been done."""
    seen: list[bytes] = []
    async with talking(answering_once(seen)) as host, Http(Network()) as http:
        async with http.request("GET", f"http://{host}/"):
            pass
        with pytest.raises(HttpFailure) as caught:
            async with http.request("POST", f"http://{host}/", body=body):
                pass
    assert str(caught.value) == f"POST {host}: the connection broke: it ended without an answer"
    assert caught.value.temporary
    assert [line.split()[0] for line in seen] == [b"GET", b"POST"]


async def test_what_can_be_asked_twice_is_when_a_used_connection_has_ended() -> None:
    seen: list[bytes] = []
    async with talking(answering_once(seen)) as host, Http(Network()) as http:
        for _ in range(2):
            async with http.request("GET", f"http://{host}/") as response:
                assert response.status == 200
    assert len(seen) == 3


async def test_a_stream_is_not_sent_again_either() -> None:
    seen: list[bytes] = []
    async with talking(answering_once(seen)) as host, Http(Network()) as http:
        async with http.request("GET", f"http://{host}/"):
            pass
        with pytest.raises(HttpFailure) as caught:
            async with http.request("PUT", f"http://{host}/", body=Body(pieces(b"abc"), 3)):
                pass
    assert str(caught.value) == f"PUT {host}: the connection broke: it ended without an answer"
    assert caught.value.temporary


def answering_once(seen: list[bytes]) -> Talk:
    """A server that answers the first request of a connection, and hangs up at the second."""

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        with suppress(asyncio.IncompleteReadError):
            seen.append(await reader.readuntil(b"\r\n\r\n"))

    return once


async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with less than was said, and hang up."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")


async def test_what_breaks_after_nobody_listens_is_no_news() -> None:
    """The loop would print it: an exception that nobody asked for."""
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    broken = asyncio.Event()

    async def half_and_tell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await half(reader, writer)
        broken.set()

    async with talking(half_and_tell) as host, Http(Network()) as http:
        async with http.request("GET", f"http://{host}/"):
            await broken.wait()
            await asyncio.sleep(0.05)
        gc.collect()
    assert told == []


async def test_closing_ends_what_is_under_way() -> None:
    async def mute(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with talking(mute) as host:
        http = Http(Network())

        async def ask() -> None:
            async with http.request("GET", f"http://{host}/"):
                pass

        task = asyncio.ensure_future(ask())
        await asyncio.sleep(0.05)
        async with http:
            pass
        with pytest.raises(HttpFailure) as caught:
            await task
    assert str(caught.value) == f"GET {host}: the connection broke: it was closed on our side"


async def test_a_body_is_not_read_after_its_block() -> None:
    async with talking(half) as host, Http(Network()) as http:
        async with http.request("GET", f"http://{host}/") as response:
            pass
        with pytest.raises(HttpFailure, match=f"{host} broke off in the middle of a body"):
            await response.read(100, "the page")


@pytest.mark.parametrize("status", [201, 413])
async def test_an_answer_may_come_before_the_body_is_sent(status: int) -> None:
    async def hasty(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 %d X\r\nContent-Length: 5\r\n\r\nhello" % status)
        while await reader.read(1_000_000):
            pass

    async with (
        talking(hasty) as host,
        Http(Network()) as http,
        http.request(
            "PUT", f"http://{host}/", body=Body(pieces(*[bytes(100_000)] * 50), 5_000_000)
        ) as response,
    ):
        assert (response.status, await response.read(100, "the answer")) == (status, b"hello")


async def test_a_body_shorter_than_was_said_is_no_whole_request() -> None:
    async def patient(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(10)

    async with talking(patient) as host, Http(Network()) as http:
        with pytest.raises(HttpFailure, match=f"PUT {host}: the connection broke: "):
            async with http.request("PUT", f"http://{host}/", body=Body(pieces(b"abc"), 10)):
                pass


@pytest.mark.parametrize("value", ["a\r\nX-Forged: b", "a\nb", "a\0b"])
async def test_a_value_cannot_become_a_header_of_its_own(value: str) -> None:
    async with Http(Network()) as http:
        with pytest.raises(HttpFailure) as caught:
            async with http.request("GET", "http://localhost:1/", headers={"Authorization": value}):
                pass
    assert str(caught.value) == "a value that cannot be sent as header Authorization"


async def test_the_host_is_named_as_others_name_it() -> None:
    """Without the port that its scheme has anyway: a signed URL holds for that spelling."""
    seen: list[str] = []

    async def proxy(request: web.BaseRequest) -> web.Response:
        seen.append(request.headers["Host"])
        return web.Response()

    async with (
        serving(proxy) as through,
        Http(Network(proxies=Proxies(http=f"http://{through}"))) as http,
    ):
        for url in ("http://far.example.com:80/", "http://far.example.com/", "http://far.example.com:81/"):
            async with http.request("GET", url):
                pass
    assert seen == ["far.example.com", "far.example.com", "far.example.com:81"]


async def test_a_proxy_that_is_not_there_is_named() -> None:
    async with Http(Network(proxies=Proxies(http="http://127.0.0.1:1"))) as http:
        with pytest.raises(HttpFailure) as caught:
            async with http.request("GET", "http://hub.example.com/"):
                pass
    assert str(caught.value) == "cannot connect to the proxy for hub.example.com: Connection refused"
    assert caught.value.temporary


async def test_the_environment_of_the_process_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    async def handler(request: web.BaseRequest) -> web.Response:
        return web.Response(text="directly")

    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with (
        serving(handler) as host,
        Http(Network()) as http,
        http.request("GET", f"http://{host}/") as response,
    ):
        assert await response.read(100, "") == b"directly"


@pytest.mark.real("openssl")
class TestTls:
    """Encrypted from here to there."""

    async def test_a_proxy_opens_a_tunnel_that_it_cannot_look_into(self) -> None:
        seen: list[bytes] = []

        async def handler(request: web.BaseRequest) -> web.Response:
            return web.Response(text=f"for {request.headers['Host']}")

        async with serving(handler, certificates().server_context()) as host:

            async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                head = await reader.readuntil(b"\r\n\r\n")
                seen.extend(line for line in head.splitlines() if line.startswith((b"CONNECT", b"User-")))
                there, back = await asyncio.open_connection(*host.split(":"))
                writer.write(b"HTTP/1.1 200 Connection established\r\nX-From: proxy\r\n\r\n")
                await asyncio.gather(relay(reader, back), relay(there, writer))

            # Loopback goes directly; the certificate is for localhost, so the name is what must be shown.
            network = Network(
                proxies=Proxies(https=""),
                hosts={
                    "far.example.com:443": Trust(authorities=(certificates().authority,), name="localhost")
                },
            )
            async with talking(proxy) as through:
                network = Network(proxies=Proxies(https=f"http://{through}"), hosts=network.hosts)
                async with Http(network) as http:
                    for _ in range(2):  # the second one finds the tunnel open
                        async with http.request("GET", "https://far.example.com:443/x") as response:
                            assert (response.status, "X-From" in response.headers) == (200, False)
                            assert await response.read(100, "") == b"for far.example.com:443"
        assert seen == [b"CONNECT far.example.com:443 HTTP/1.1", f"User-Agent: weft/{__version__}".encode()]

    async def test_a_proxy_that_speaks_tls_is_believed_by_the_same_authorities(self) -> None:
        async def proxy(request: web.BaseRequest) -> web.Response:
            return web.Response(text=f"fetched {request.raw_path}")

        async def ask(through: str, trusted: Trust) -> bytes:
            network = Network(proxies=Proxies(http=f"https://{through}"), trust=trusted)
            async with Http(network) as http, http.request("GET", "http://far.example.com/x") as response:
                return await response.read(100, "")

        async with serving(proxy, certificates().server_context()) as through:
            mine = Trust(authorities=(certificates().authority,))
            assert await ask(through, mine) == b"fetched http://far.example.com/x"
            with pytest.raises(Untrusted, match=r"far\.example\.com is not who it should be: "):
                await ask(through, Trust())

    async def test_a_certificate_may_be_asked_for_by_another_name(self) -> None:
        async def handler(request: web.BaseRequest) -> web.Response:
            return web.Response(text=request.headers["Host"])

        async def ask(host: str, name: str) -> str:
            trusted = Trust(authorities=(certificates().authority,), name=name)
            async with (
                Http(Network(hosts={host: trusted})) as http,
                http.request("GET", f"https://{host}/") as response,
            ):
                return (await response.read(100, "")).decode()

        async with serving(handler, certificates().server_context()) as host:
            assert await ask(host, "localhost") == host
            with pytest.raises(Untrusted, match=f"{host} is not who it should be: "):
                await ask(host, "elsewhere")


async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


async def test_a_large_piece_is_sent_without_copies_of_its_rest() -> None:
    data = bytes(range(256)) * 40_000
    got = sha256()

    async def hashing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        left = len(data)
        while left:
            part = await reader.read(65536)
            got.update(part)
            left -= len(part)
        writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")

    tracemalloc.start()
    try:
        async with (
            talking(hashing) as host,
            Http(Network()) as http,
            http.request("PUT", f"http://{host}/", body=Body(pieces(data), len(data))) as response,
        ):
            assert response.status == 201
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert got.digest() == sha256(data).digest()
    assert most < len(data) / 2
