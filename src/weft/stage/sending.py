"""Put what a scenario says of a message onto a wire, in its pieces."""

from typing import Any

from weft.scenario import header_pairs, pieces
from weft.stage.http2 import Stream

__all__ = ["send", "send_body"]


def send(stream: Stream, headers: tuple[tuple[str, str], ...], message: Any) -> None:
    """A message with its headers."""
    bare = not (message.open or message.body or message.chunks or message.trailers)
    stream.send_headers(headers, end=bare)
    if not bare:
        send_body(stream, message)


def send_body(stream: Stream, message: Any) -> None:
    """What comes after them."""
    chunks = pieces(message.body, message.chunks)
    ends_here = not message.open and not message.trailers
    for index, chunk in enumerate(chunks):
        stream.send_data(chunk, end=ends_here and index == len(chunks) - 1)
    if not chunks and ends_here:
        stream.send_data(b"", end=True)
    if message.trailers:
        stream.send_headers(tuple(header_pairs(message.trailers)), end=True)
