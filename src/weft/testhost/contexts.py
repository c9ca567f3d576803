"""What a guest can reach through one context: which maps and which bytes are there right now.

Three kinds, told apart by what they have: the VM's own (0), root contexts (a plugin with its config), and
streams (a root as parent, and a request). A map or buffer that is ``None`` is out of the guest's reach:
before it arrived, after it went on, and in the wrong kind of context.
"""

from dataclasses import dataclass, field
from typing import Protocol

from weft.testhost.abi import Buffer, MapType, Stream
from weft.testhost.headers import HeaderMap, Pairs

__all__ = ["Context", "HttpPeer", "Reply"]


class HttpPeer(Protocol):
    """What a stream does when its filter asks for it; after the filter has returned."""

    def resume(self, which: Stream) -> None:
        """Continue what was stopped."""

    def close(self) -> None:
        """Reset the stream."""

    def reply_locally(self, status: int, body: bytes, headers: Pairs, grpc_status: int, details: str) -> None:
        """Answer in the upstream's place."""

    def property(self, path: tuple[str, ...]) -> object:
        """What Envoy knows about the request; ``None`` for nothing."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back from a call."""

    headers: HeaderMap
    body: bytes = b""
    trailers: HeaderMap | None = None


@dataclass(slots=True, eq=False)
class Context:
    """One context. Its number is what the guest knows of it."""

    id: int
    parent: "Context | None" = None
    prefix: str = ""
    """What Envoy puts before its log lines."""
    created: bool = False
    deleted: bool = False
    maps: list[HeaderMap | None] = field(default_factory=lambda: [None] * 4)
    """Request headers and trailers, response headers and trailers: those that can be changed."""
    logged: list[HeaderMap | None] | None = None
    """The same during ``on_log``, when they can only be read."""
    bodies: list[bytearray | None] = field(default_factory=lambda: [None] * 4)
    """Request and response body, downstream and upstream data."""
    config: bytes | None = None
    """The plugin's configuration, while it is configured."""
    reply: Reply | None = None
    """The answer to a call, while it is told."""
    grpc_maps: list[HeaderMap | None] = field(default_factory=lambda: [None] * 2)
    grpc_message: bytes | None = None
    status: tuple[int, str] = (0, "")
    """What ``proxy_get_status`` says."""
    peer: HttpPeer | None = None
    state: dict[str, bytes] = field(default_factory=dict)
    """Properties the filter set."""

    @property
    def root(self) -> "Context":
        """Itself, or whose stream it is."""
        return self.parent or self

    def map(self, which: int) -> HeaderMap | None:
        """A map to change."""
        return self.maps[which] if which <= MapType.RESPONSE_TRAILERS else None

    def readable_map(self, which: int) -> HeaderMap | None:
        """A map to look at."""
        if which <= MapType.RESPONSE_TRAILERS:
            return (self.logged or self.maps)[which]
        root = self.root
        if which <= MapType.GRPC_TRAILING_METADATA:
            return root.grpc_maps[which - MapType.GRPC_INITIAL_METADATA]
        if root.reply is None:
            return None
        return root.reply.headers if which == MapType.CALL_HEADERS else root.reply.trailers

    def buffer(self, which: int, vm_config: bytes) -> bytes | bytearray | None:
        """Bytes to look at; a ``bytearray`` can be changed."""
        if which <= Buffer.UPSTREAM_DATA:
            body = self.bodies[which]
            return b"" if body is None else body
        if which == Buffer.VM_CONFIG:
            return vm_config
        if which == Buffer.PLUGIN_CONFIG:
            return self.config
        if which == Buffer.CALL_BODY:
            return None if self.root.reply is None else self.root.reply.body
        if which == Buffer.GRPC_MESSAGE:
            return self.root.grpc_message or b""
        return b"" if which == Buffer.CALL_DATA else None
