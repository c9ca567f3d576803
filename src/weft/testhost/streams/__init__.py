"""What goes through a filter: HTTP requests and their responses, and connections.

An ``HttpStream`` or a ``Connection`` is fed what comes and keeps what went on. Envoy's rules for what a
filter holds are ``Direction``'s; ``HttpFilter`` is a filter's part in one stream, also in a chain.

May import: ``weft.testhost.vm`` and what is below it.
"""

from weft.testhost.streams.connection import Connection
from weft.testhost.streams.direction import Direction, Message, held_of
from weft.testhost.streams.http_filter import HttpFilter
from weft.testhost.streams.http_stream import HttpStream, LocalReply
from weft.testhost.streams.properties import stream_property

__all__ = [
    "Connection",
    "Direction",
    "HttpFilter",
    "HttpStream",
    "LocalReply",
    "Message",
    "held_of",
    "stream_property",
]
