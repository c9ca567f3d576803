"""What a proxy showed of a filter, in no proxy's own words."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Observed", "ObservedCall", "ObservedLog", "ObservedMessage", "ObservedReply"]

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ObservedMessage:
    """What left the filter towards one side; no headers: nothing did."""

    headers: Pairs | None = None
    body: bytes = b""
    trailers: Pairs | None = None
    ended: bool = False


@dataclass(frozen=True, slots=True)
class ObservedReply:
    """A local reply."""

    status: int
    body: bytes
    details: str
    grpc_status: int | None = None


@dataclass(frozen=True, slots=True)
class ObservedCall:
    """A call the filter made, or what it said more on a gRPC stream."""

    cluster: str
    headers: Pairs
    body: bytes
    trailers: Pairs
    timeout_ms: int
    service: str | None = None
    """Of gRPC, as the next two; its headers are the metadata it was given."""
    method: str | None = None
    messages: tuple[bytes, ...] = ()
    ended: bool = True
    """Whether the filter said all it had to say."""
    reset: bool = False
    """Whether it was broken off on this side."""


@dataclass(frozen=True, slots=True)
class ObservedLog:
    """A line it logged."""

    level: str
    message: str


@dataclass(frozen=True, slots=True)
class Observed:
    """All of it, after one step or after all."""

    upstream: ObservedMessage = ObservedMessage()
    client: ObservedMessage = ObservedMessage()
    local_reply: ObservedReply | None = None
    reset: bool = False
    calls: tuple[ObservedCall, ...] = ()
    logs: tuple[ObservedLog, ...] = ()
    metrics: Mapping[str, int | list[int]] = field(default_factory=dict)
    shared_data: Mapping[str, bytes] = field(default_factory=dict)
    refused: str | None = None
    """Why the filter did not start."""
    failure: str | None = None
    """What the proxy logged when the filter failed."""
