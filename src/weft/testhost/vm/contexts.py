"""What a guest can reach through one context: which maps and which bytes are there right now.

Three kinds, told apart by what they have: the VM's own (0), root contexts (a plugin with its config), and
streams (a root as parent, and a request). A map or buffer that is not there is out of the guest's reach:
before it arrived, after it went on, and in the wrong kind of context.
"""

from dataclasses import dataclass
from typing import Protocol

from weft.testhost.abi import Buffer, MapType, Pairs, Stream
from weft.testhost.headers import HeaderMap

__all__ = ["Context", "HttpPeer", "Reply"]

_LAST_OF_STREAM, _LAST_OF_GRPC = int(MapType.RESPONSE_TRAILERS), int(MapType.GRPC_TRAILING_METADATA)


class HttpPeer(Protocol):
    """What a stream does when its filter asks for it; after the filter has returned."""

    of_bytes: bool
    """Whether it is a connection, and no HTTP stream."""

    def resume(self, which: Stream) -> None:
        """Continue what was stopped."""

    def close(self) -> None:
        """Reset the stream."""

    def reply_locally(self, status: int, body: bytes, headers: Pairs, grpc_status: int, details: str) -> None:
        """Answer in the upstream's place."""

    def property(self, path: tuple[str, ...]) -> object:
        """What Envoy knows about the request; ``None`` for nothing."""

    def complete(self) -> None:
        """Finish it if it is over."""

    def abandon(self) -> None:
        """The client went away."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back from a call."""

    headers: HeaderMap
    body: bytes = b""
    trailers: HeaderMap | None = None


class Context:
    """One context. Its number is what the guest knows of it."""

    __slots__ = (
        "bodies", "config", "created", "grpc_maps", "grpc_message", "id", "logged",
        "maps", "passed_by", "peer", "prefix", "reply", "root", "state", "status",
    )  # fmt: skip

    def __init__(self, number: int, parent: "Context | None" = None, prefix: str = "") -> None:
        self.id = number
        self.root = parent or self
        """Itself, or whose stream it is."""
        self.prefix = prefix
        """What Envoy puts before its log lines."""
        self.created = False
        self.passed_by = False
        """Whether the guest is not to be asked any more."""
        self.maps: dict[int, HeaderMap] = {}
        """By ``MapType``: headers and trailers of a stream that can be changed now."""
        self.logged: dict[int, HeaderMap] | None = None
        """All of them during ``on_log``, when they can only be read."""
        self.bodies: dict[int, bytearray] = {}
        """By ``Buffer``: request and response body, downstream and upstream data."""
        self.config: bytes | None = None
        """The plugin's configuration, while it is configured."""
        self.reply: Reply | None = None
        """The answer to a call, while it is told."""
        self.grpc_maps: dict[int, HeaderMap] = {}
        """By ``MapType``: metadata of a gRPC call, while it is told."""
        self.grpc_message: bytes | None = None
        self.status = (0, "")
        """What ``proxy_get_status`` says."""
        self.peer: HttpPeer | None = None
        self.state: dict[str, bytes] = {}
        """Properties the filter set."""

    def readable_map(self, which: int) -> HeaderMap | None:
        """A map to look at."""
        if which <= _LAST_OF_STREAM:
            return (self.maps if self.logged is None else self.logged).get(which)
        root = self.root
        if which <= _LAST_OF_GRPC:
            return root.grpc_maps.get(which)
        if root.reply is None:
            return None
        return root.reply.headers if which == MapType.CALL_HEADERS else root.reply.trailers

    def buffer(self, which: int, vm_config: bytes) -> bytes | bytearray | None:
        """Bytes to look at; a ``bytearray`` can be changed."""
        if which <= Buffer.UPSTREAM_DATA:
            return self.bodies.get(which, b"")
        if which == Buffer.VM_CONFIG:
            return vm_config
        if which == Buffer.PLUGIN_CONFIG:
            return self.config
        if which == Buffer.CALL_BODY:
            return None if self.root.reply is None else self.root.reply.body
        if which == Buffer.GRPC_MESSAGE:
            return self.root.grpc_message or b""
        return b"" if which == Buffer.CALL_DATA else None
