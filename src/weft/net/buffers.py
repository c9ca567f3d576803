"""What a TLS connection costs in memory."""

from asyncio import sslproto

__all__ = ["lean_tls"]

# A record holds 16 KiB (RFC 8446, section 5.1); more only saves calls when a lot arrives at once.
_BUFFER_BYTES = 32 * 1024


def lean_tls() -> None:
    """From now on connections of this process cost an eighth: for services that keep dozens open.

    The standard library gives each 256 KiB to read into, for as long as it lasts.
    """
    sslproto.SSLProtocol.max_size = _BUFFER_BYTES
