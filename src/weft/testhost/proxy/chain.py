"""Several filters in one proxy, as Envoy chains them: requests in order, responses in reverse.

Each filter has a VM and a ``Host`` of its own; time, metrics, logs, shared data and queues are the proxy's.
What leaves one filter comes to the next, so what one holds does not come to those behind it. The rules of
``HttpStream`` for local responses and failures hold for the chain: one goes through the response callbacks of
all filters, those behind the one that sent it included, if they saw the request.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from weft.testhost.abi import Pairs, Stream
from weft.testhost.engine import Limits
from weft.testhost.headers import (
    Fields,
    HeaderMap,
    RequestHeaders,
    ResponseHeaders,
    ResponseTrailers,
    local_response,
)
from weft.testhost.proxy.host import Host
from weft.testhost.streams import (
    Connection,
    Direction,
    HttpFilter,
    HttpStream,
    LocalReply,
    Message,
    held_of,
    stream_property,
)
from weft.testhost.vm import Code, Plugin
from weft.testhost.world import World

__all__ = ["Chain", "ChainStream"]


class Chain:
    """Started filters in the order of the chain. What they have in common is the first one's ``world``."""

    def __init__(self, hosts: Sequence[Host]) -> None:
        self.hosts = tuple(hosts)
        self.world = hosts[0].world

    @classmethod
    def start(
        cls, filters: Sequence[tuple[Code, Plugin]], world: World, limits: Limits | None = None
    ) -> "Chain":
        """Start them one after the other. Raises ``FilterRefused``; then ``world.logs`` are that one's."""
        hosts = []
        for number, (code, plugin) in enumerate(filters):
            said = len(world.logs)
            try:
                around = world.for_another_vm() if number else world
                hosts.append(Host.start(code, plugin, world=around, limits=limits))
            except BaseException:
                del world.logs[:said]
                raise
        return cls(hosts)

    @property
    def failure(self) -> str | None:
        """How the first of them failed."""
        return next((host.vm.failure for host in self.hosts if host.vm.failure is not None), None)

    def stream(self) -> "HttpStream | ChainStream":
        """A new request; call ``settle`` after each event."""
        return ChainStream(self.hosts) if len(self.hosts) > 1 else self.hosts[0].stream()

    def connection(self) -> Connection:
        """A new connection through the only filter."""
        return self.hosts[0].connection()

    def settle(self) -> None:
        """Do what became due while a guest was running."""
        self.hosts[0].settle()

    def next_tick(self) -> int | None:
        """When a timer is due."""
        return min((timer.due for host in self.hosts for timer in host.vm.timers.values()), default=None)

    def advance(self, nanoseconds: int) -> None:
        """Let time pass; ticks and timeouts of all filters come in their order."""
        clock = self.world.clock
        end = clock.now + nanoseconds
        while len(self.hosts) > 1:
            found = [(due, at) for at, host in enumerate(self.hosts) if (due := host.next_due()) is not None]
            due, first = min(found, default=(end + 1, 0))
            if due > end:
                break
            self.hosts[first].advance(max(due - clock.now, 0))
        self.hosts[0].advance(end - clock.now)


@dataclass(slots=True)
class _Joint:
    """What went from one filter to the next so far."""

    headers: bool = False
    metadata: int = 0
    body: int = 0
    trailers: bool = False
    ended: bool = False

    def pass_on(self, source: Direction, target: Direction) -> bool:
        """Pass on the next thing that left ``source``; gives whether there was any."""
        left = source.left
        if target.over or target.complete or left.headers is None or source.headers is None:
            return False
        if not self.headers:
            self.headers = True
            self.ended = left.ended and not left.body and left.trailers is None
            target.on_headers(source.headers, end=self.ended)
            return True
        if source.metadata_left[self.metadata :]:
            self.metadata += 1
            target.on_metadata(source.metadata_left[self.metadata - 1])
            return True
        data = left.body[self.body :]
        ends = left.ended and left.trailers is None and not self.ended
        if data or ends:
            self.body, self.ended = len(left.body), ends
            target.on_data(data, end=ends)
            return True
        if source.trailers is not None and left.trailers is not None and not self.trailers:
            self.trailers = True
            target.on_trailers(source.trailers)
            return True
        return False


class _Link:
    """One filter of one stream. Implements ``contexts.HttpPeer``."""

    of_bytes = False

    def __init__(self, stream: "ChainStream", host: Host) -> None:
        self.host = host
        self.context = host.filter_context()
        self.request = Direction(self.context, 0, stream.flow)
        self.response = Direction(self.context, 1, stream.flow)
        self.context.peer = self
        # One that saw no request is not asked about the response.
        self.context.passed_by = True
        self.begun = False
        self.stream = stream

    def begin(self) -> None:
        """The request comes to it, or at least its end."""
        if not self.begun:
            self.begun = True
            self.context.passed_by = False
            self.host.vm.refuel()
            self.context.create()

    def resume(self, which: Stream) -> None:
        """Continue what was stopped."""
        self.stream.resume(self, which)

    def close(self) -> None:
        """Reset the stream."""
        self.stream.close()

    def reply_locally(self, status: int, body: bytes, headers: Pairs, grpc_status: int, details: str) -> None:
        """Answer in the upstream's place."""
        self.stream.reply_locally(status, body, headers, grpc_status, details)

    def property(self, path: tuple[str, ...]) -> object:
        """What Envoy knows about the stream."""
        return self.stream.property(path, self.context)

    def complete(self) -> None:
        """See ``ChainStream.complete``."""
        self.stream.complete()

    def abandon(self) -> None:
        """See ``ChainStream.abandon``."""
        self.stream.abandon()


class ChainStream:
    """One request and its response through all filters; it is used as an ``HttpStream`` is."""

    def __init__(self, hosts: Sequence[Host]) -> None:
        self.local_reply: LocalReply | None = None
        self.reset = False
        self.finished = False
        self._links = [_Link(self, host) for host in hosts]
        self._down = [_Joint() for _ in hosts[1:]]
        self._up = [_Joint() for _ in hosts[1:]]
        for link in self._links[1:]:
            link.context.state = self._links[0].context.state

    @property
    def upstream(self) -> Message:
        """What went on to the upstream."""
        return self._links[-1].request.left

    @property
    def client(self) -> Message:
        """What went back to the client."""
        return self._links[0].response.left

    @property
    def held(self) -> tuple[str, ...]:
        """What came whole, and did not go through all filters."""
        found = {side for link in self._links for side in held_of(link.request, link.response)}
        return tuple(sorted(found))

    # -- what comes

    def request_headers(self, headers: Fields, *, end: bool) -> None:
        """The client's request begins."""
        self._links[0].begin()
        self._links[0].request.on_headers(RequestHeaders(headers), end=end)
        self._go_on()

    def request_body(self, data: bytes, *, end: bool) -> None:
        """More of the request."""
        self._links[0].request.on_data(data, end=end)
        self._go_on()

    def request_trailers(self, trailers: Fields) -> None:
        """The request's end."""
        self._links[0].request.on_trailers(HeaderMap(trailers))
        self._go_on()

    def request_metadata(self, count: int) -> bool:
        """Metadata of so many elements beside the request; gives whether it could come."""
        can = self._links[0].request.on_metadata(count)
        self._go_on()
        return can

    def response_headers(self, headers: Fields, *, end: bool) -> None:
        """The upstream answers."""
        self._links[-1].response.on_headers(ResponseHeaders(headers), end=end)
        self._go_on()

    def response_body(self, data: bytes, *, end: bool) -> None:
        """More of the response."""
        self._links[-1].response.on_data(data, end=end)
        self._go_on()

    def response_trailers(self, trailers: Fields) -> None:
        """The response's end."""
        self._links[-1].response.on_trailers(ResponseTrailers(trailers))
        self._go_on()

    def response_metadata(self, count: int) -> bool:
        """The same beside the response."""
        can = self._links[-1].response.on_metadata(count)
        self._go_on()
        return can

    def close(self) -> None:
        """Reset, by whichever side."""
        if not self.finished:
            self.reset = True
            self._stop()

    def abandon(self) -> None:
        """The client went away."""
        self.close()
        self.complete()

    # -- what the filters ask for

    def resume(self, link: _Link, which: Stream) -> None:
        """Continue what a filter stopped."""
        links = self._links if which is Stream.REQUEST else self._links[::-1]
        way = [one.request if which is Stream.REQUEST else one.response for one in links]
        at = links.index(link)
        for before in way[:at]:
            way[at].take_buffer(before)
        way[at].resume()
        self.flow()

    def reply_locally(self, status: int, body: bytes, headers: Pairs, grpc_status: int, details: str) -> None:
        """Answer in the upstream's place."""
        if self.finished or self.reset or self.local_reply is not None:
            return
        first, last = self._links[0], self._links[-1]
        if first.response.headers_passed:
            self.close()
            return
        known = grpc_status if grpc_status <= 16 else None  # noqa: PLR2004 - the last of gRPC's codes
        self.local_reply = LocalReply(status, body, details, known)
        made, text = local_response(first.request.headers, status, body, headers, known)
        if last.response.headers is not None:
            self._stop()
            first.response.replace(made.pairs, text)
            return
        for link in self._links:
            link.request.over = True
        last.response.on_headers(made, end=not text)
        self.flow()
        if text:
            last.response.on_data(text, end=True)
            self.flow()

    def property(self, path: tuple[str, ...], context: HttpFilter) -> object:
        """What Envoy knows about this stream, as one of the filters may know it."""
        last = self._links[-1]
        return stream_property(path, context, last.response.headers, last.host.world.clock.now)

    # -- within

    def flow(self) -> None:
        """Let everything that left one filter come to the next."""
        links, moved = self._links, True
        while moved:
            moved = False
            for joint, link, after in zip(self._down, links, links[1:], strict=False):
                if link.request.headers_passed and not joint.headers and not after.request.over:
                    after.begin()
                moved = joint.pass_on(link.request, after.request) or moved
            for joint, link, before in zip(self._up, links[1:], links, strict=False):
                moved = joint.pass_on(link.response, before.response) or moved

    def complete(self) -> None:
        """Log, finish and delete the stream in all filters when its response is complete or it was reset."""
        if self.finished or not (self._links[0].response.ended or self.reset):
            return
        self.finished = True
        self._stop()
        for link in self._links:
            # Also those that saw nothing of it, as Envoy's access log does.
            link.begin()
            link.context.log(self._seen)
        for link in self._links:
            link.context.finish()

    def _go_on(self) -> None:
        self.flow()
        self.complete()

    def _stop(self) -> None:
        for link in self._links:
            link.request.over = link.response.over = True

    def _seen(self) -> dict[int, HeaderMap]:
        first, last = self._links[0].request, self._links[-1].response
        maps = (map_ for side in (first, last) for map_ in (side.headers, side.trailers))
        return {which: map_ for which, map_ in enumerate(maps) if map_ is not None}
