"""What a TLS connection costs, of a process that asked for it to be little."""

import asyncio
import ssl
from asyncio import sslproto

import pytest

from weft.net import lean_tls


async def test_connections_of_a_lean_process_read_into_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sslproto.SSLProtocol, "max_size", sslproto.SSLProtocol.max_size)
    lean_tls()
    loop = asyncio.get_running_loop()
    made = sslproto.SSLProtocol(loop, asyncio.Protocol(), ssl.create_default_context(), loop.create_future())
    assert len(made.get_buffer(1 << 20)) == 32 * 1024
    made._get_app_transport().close()  # type: ignore[attr-defined]
