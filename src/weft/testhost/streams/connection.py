"""One connection through one network filter, with Envoy's TCP proxy behind it.

The rules, as Envoy has them: while a new connection is held nobody reads from the client; what a filter holds
it is shown again, whole, with whatever comes next; ``continue_stream`` lets go what came from the client
without asking again, and nothing does that for what came from the upstream. A side that has no more to say
leaves the other open. When both are through, or either breaks off, or the filter closes, the connection is
closed, and only then done, logged and deleted.
"""

from weft.testhost.abi import Buffer, Pairs, Stream
from weft.testhost.streams.direction import Message
from weft.testhost.vm import Context, Vm

__all__ = ["Connection"]

_UNKNOWN, _LOCAL, _REMOTE = 0, 1, 2
"""Who closed."""
_CONTINUE = 0


class Connection:
    """Implements ``contexts.HttpPeer`` for a context that is asked about bytes."""

    of_bytes = True

    def __init__(self, vm: Vm, context: Context) -> None:
        self.closed = self.reset = False
        self.opened = False
        """Whether the upstream was reached."""
        self._vm = vm
        self._context = context
        self._held = {Buffer.DOWNSTREAM_DATA: bytearray(), Buffer.UPSTREAM_DATA: bytearray()}
        self._through = {Buffer.DOWNSTREAM_DATA: bytearray(), Buffer.UPSTREAM_DATA: bytearray()}
        self._came_to_end = {Buffer.DOWNSTREAM_DATA: False, Buffer.UPSTREAM_DATA: False}
        self._ended = {Buffer.DOWNSTREAM_DATA: False, Buffer.UPSTREAM_DATA: False}
        context.peer = self

    @property
    def upstream(self) -> Message:
        """What reached the upstream."""
        return self._message(Buffer.DOWNSTREAM_DATA) if self.opened else Message()

    @property
    def client(self) -> Message:
        """What reached the client."""
        return self._message(Buffer.UPSTREAM_DATA)

    def _message(self, side: Buffer) -> Message:
        return Message((), bytes(self._through[side]), None, self._ended[side])

    # -- what comes

    def connect(self) -> None:
        """The client is there."""
        vm, context = self._vm, self._context
        vm.refuel()
        if vm.failure is None:
            vm.call(context, "proxy_on_context_create", context.id, context.root.id)
            context.created = True
        context.passed_by = not context.created
        if self._ask("proxy_on_new_connection") == _CONTINUE and not self.closed:
            self._open()

    def send(self, side: Buffer, data: bytes) -> None:
        """Bytes from the client (``DOWNSTREAM_DATA``) or the upstream."""
        if self.closed:
            return
        self._vm.refuel()
        self._held[side] += data
        if self.opened:
            self._show(side)

    def end(self, side: Buffer) -> None:
        """One side has no more to say."""
        if self.closed:
            return
        self._came_to_end[side] = True
        if self.opened:
            self._show(side)

    def break_off(self) -> None:
        """The upstream is gone."""
        self.reset = True
        self._close(_LOCAL)

    def abandon(self) -> None:
        """The client is gone; nobody sees it where the connection is not read from."""
        self.reset = True
        if self.opened and not self._came_to_end[Buffer.DOWNSTREAM_DATA]:
            self._close(_REMOTE)

    # -- what the filter asks for

    def resume(self, which: Stream) -> None:
        """Let go what came from the client, or a new connection."""
        if self.closed or which is not Stream.DOWNSTREAM:
            return
        if self.opened:
            self._pass(Buffer.DOWNSTREAM_DATA)
            return
        self._open()

    def close(self) -> None:
        """Close, on both sides."""
        self._ended = dict.fromkeys(self._ended, True)
        self._close(_LOCAL)

    def reply_locally(self, status: int, body: bytes, headers: Pairs, grpc_status: int, details: str) -> None:
        """There is no such thing as an answer."""

    def property(self, path: tuple[str, ...]) -> object:  # noqa: ARG002 - as its likes have it
        """Nothing is known here."""
        return None

    def complete(self) -> None:
        """A connection is closed as soon as it can be."""

    # -- within

    def _open(self) -> None:
        self.opened = True
        if self.reset:
            self._close(_REMOTE)
        elif self._held[Buffer.DOWNSTREAM_DATA] or self._came_to_end[Buffer.DOWNSTREAM_DATA]:
            self._show(Buffer.DOWNSTREAM_DATA)

    def _show(self, side: Buffer) -> None:
        """Ask about all that is held; then see whether the connection is over."""
        word = "downstream" if side is Buffer.DOWNSTREAM_DATA else "upstream"
        held, ends, context = self._held[side], self._came_to_end[side], self._context
        context.bodies[side] = held
        goes_on = self._ask(f"proxy_on_{word}_data", len(held), int(ends)) == _CONTINUE
        if goes_on:
            context.bodies.pop(side, None)
        if self.closed:
            return
        if goes_on:
            self._move(side)
        if side is Buffer.UPSTREAM_DATA and ends:
            self._tell("proxy_on_upstream_connection_close", _UNKNOWN)
        self._look(side)

    def _pass(self, side: Buffer) -> None:
        self._move(side)
        self._look(side)

    def _move(self, side: Buffer) -> None:
        self._through[side] += self._held[side]
        # Another one: what a filter stopped it can still reach.
        self._held[side] = bytearray()
        self._ended[side] = self._came_to_end[side]

    def _look(self, side: Buffer) -> None:
        """A connection is over when either of its ends came to an end in both directions."""
        down, up = Buffer.DOWNSTREAM_DATA, Buffer.UPSTREAM_DATA
        of_client = self._came_to_end[down] and self._ended[up]
        of_upstream = self._came_to_end[up] and self._ended[down]
        if of_client or of_upstream:
            self._ended = dict.fromkeys(self._ended, True)
            self._close(_REMOTE if of_client and side is down else _LOCAL)

    def _ask(self, name: str, a: int = 0, b: int = 0) -> int:
        """What the filter answers: 0 to go on. One that fails closes."""
        vm, context = self._vm, self._context
        if context.passed_by and (vm.failure is None or vm.plugin.fail_open):
            return _CONTINUE
        result = vm.call(context, name, context.id, a, b)
        if vm.failure is None:
            return result or int(vm.stop_iteration)
        context.passed_by = True
        self.close()
        return _CONTINUE

    def _tell(self, name: str, who: int) -> None:
        if self._context.created:
            self._vm.call(self._context, name, self._context.id, who)

    def _close(self, who: int) -> None:
        if self.closed:
            return
        self.closed = True
        vm, context = self._vm, self._context
        self._tell("proxy_on_downstream_connection_close", who)
        if context.created:
            vm.call(context, "proxy_on_done", context.id)
            vm.call(context, "proxy_on_log", context.id)
        vm.delete(context)
