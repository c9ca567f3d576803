"""The echo answers with the request as it arrived."""

import asyncio
import json
import socket
from typing import Any

import pytest

from weft.envoy import Echo


async def exchange(request: bytes) -> tuple[bytes, Any]:
    """Send raw bytes; give the head of the answer and its JSON."""
    echo = Echo()
    async with echo.serving(), asyncio.timeout(10):
        reader, writer = await asyncio.open_connection(echo.upstream.host, echo.upstream.port)
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
        )
        body = b"" if request.startswith(b"HEAD") else await reader.readexactly(length)
        writer.close()
        await writer.wait_closed()
    return head, json.loads(body) if body else None


async def test_it_shows_method_path_headers_in_order_and_body() -> None:
    lines = ["POST /a//b/../c%20d?x=1&x=%C3%A4 HTTP/1.1", "host: h", "X-B: 1", "x-a: 2", "x-b: 3"]
    request = "\r\n".join([*lines, "content-length: 5", "", "héyo"])
    head, shown = await exchange(request.encode())
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert shown == {
        "method": "POST",
        "path": "/a//b/../c%20d?x=1&x=%C3%A4",
        "headers": [["host", "h"], ["X-B", "1"], ["x-a", "2"], ["x-b", "3"], ["content-length", "5"]],
        "body": "héyo",
    }


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND"])
async def test_it_answers_any_method(method: str) -> None:
    head, shown = await exchange(f"{method} /x HTTP/1.1\r\nhost: h\r\n\r\n".encode())
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert shown is None if method == "HEAD" else shown["method"] == method


async def test_a_long_body_is_shown_in_part_and_taken_whole() -> None:
    size = 300_000
    _, shown = await exchange(b"PUT / HTTP/1.1\r\nhost: h\r\ncontent-length: %d\r\n\r\n" % size + b"x" * size)
    assert shown["truncated"] is True
    assert shown["body"] == "x" * 64 * 1024


async def test_what_is_not_text_is_replaced() -> None:
    _, shown = await exchange(b"PUT / HTTP/1.1\r\nhost: h\r\nx: \xff\r\ncontent-length: 2\r\n\r\n\xfe\x01")
    assert ["x", "�"] in shown["headers"]
    assert shown["body"] == "�\x01"


async def test_its_port_is_taken_before_it_answers_and_given_back_after() -> None:
    echo = Echo()
    address = (echo.upstream.host, echo.upstream.port)
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(address)
    async with echo.serving():
        pass
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(address)


def test_it_can_be_closed_without_having_served() -> None:
    echo = Echo()
    echo.close()
    echo.close()
