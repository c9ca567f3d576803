"""The calls that filters make of other services."""

from dataclasses import dataclass, field

from weft.testhost.abi import Pairs

__all__ = ["Callout"]


@dataclass(slots=True)
class Callout:
    """One HTTP or gRPC call a filter asked for."""

    number: int
    cluster: str
    headers: Pairs
    body: bytes
    trailers: Pairs
    timeout_ms: int
    context: int
    made_at: int
    kind: str = "http"
    """``http``, ``grpc`` or ``grpc-stream``."""
    service: str = ""
    """Of gRPC, as all that follows; the headers are the metadata it was given."""
    method: str = ""
    sent: list[bytes] = field(default_factory=list)
    """The messages."""
    ended_at: int | None = None
    """When the filter's side ended."""
    closed: bool = False
    """Whether the filter closed a stream; to send a last message is not to close it."""
    reset: bool = False
    """Whether it was broken off on the filter's side."""
    begun: bool = False
    """Whether the answer began."""
    answer: bytes | None = None
    """Its last message."""

    def end(self, now: int) -> None:
        """The filter has no more to say."""
        self.ended_at = now if self.ended_at is None else self.ended_at

    @property
    def due(self) -> int | None:
        """When it times out; never, where it has no timeout."""
        return self.made_at + self.timeout_ms * 1_000_000 if self.timeout_ms else None
