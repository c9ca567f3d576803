"""A proxy in this process: one filter, any number of streams, and a clock that obeys.

::

    host = Host.start(Code.load(wasm), Plugin(root_id="my_filter", config=b"{}"))
    stream = host.stream()
    stream.request_headers([(":path", "/")], end=True)
    stream.upstream.headers
"""

from collections.abc import Callable
from functools import partial

from weft.errors import FilterRefused
from weft.testhost import grpc
from weft.testhost.abi import Pairs
from weft.testhost.engine import Limits
from weft.testhost.grpc import GrpcReply
from weft.testhost.headers import ResponseHeaders, ResponseTrailers
from weft.testhost.hostcalls import hostcalls
from weft.testhost.streams import Connection, HttpFilter, HttpStream
from weft.testhost.vm import NS_PER_MS, Code, Context, Plugin, Reply, Vm
from weft.testhost.world import Callout, World

__all__ = ["Host"]

_BROKEN = 11
_TIMEOUT_BODY = b"upstream request timeout"
_TOOK = "x-envoy-upstream-service-time"
_MOST_SOON = 10_000


class Host:
    """A started filter. What a filter asks for happens here when it has returned."""

    def __init__(self, vm: Vm, root: Context) -> None:
        self.vm = vm
        self.world = vm.world
        self.root = root
        plugin = vm.plugin
        self._prefix = _prefix(plugin.name, plugin.root_id, plugin.vm_id)

    @classmethod
    def start(
        cls, code: Code, plugin: Plugin, *, world: World | None = None, limits: Limits | None = None
    ) -> "Host":
        """Start and configure a filter, as Envoy does before it listens.

        Raises ``FilterRefused``; what the filter logged is the detail.
        """
        vm = Vm(code, plugin, world or World(), limits or Limits(), hostcalls)
        host = cls(vm, vm.new_context(Context, prefix=_prefix(plugin.root_id, plugin.vm_id)))
        host._start()
        return host

    def _start(self) -> None:
        vm, root, plugin = self.vm, self.root, self.vm.plugin
        self._check("Failed to initialize Wasm code")
        vm.call(root, "proxy_on_context_create", root.id, 0)
        root.created = True
        started = vm.call(root, "proxy_on_vm_start", root.id, len(plugin.vm_config))
        self._check("Failed to start base Wasm", accepted=bool(started) or not vm.has("proxy_on_vm_start"))
        root.config = plugin.config
        configured = vm.call(root, "proxy_on_configure", root.id, len(plugin.config))
        root.config = None
        accepted = bool(configured) or not vm.has("proxy_on_configure")
        self._check("Failed to configure base Wasm plugin", accepted=accepted)
        self.settle()

    def _check(self, words: str, *, accepted: bool = True) -> None:
        if accepted and self.vm.failure is None:
            return
        said = [f"{line.level}: {line.message}" for line in self.world.logs]
        if self.vm.failure is not None:
            said.append(self.vm.failure)
        raise FilterRefused(words, detail="\n".join(said) or None)

    # -- what happens to a filter

    def stream(self) -> HttpStream:
        """A new request; call ``settle`` after each event."""
        return HttpStream(self.vm, self.root, self._prefix)

    def connection(self) -> Connection:
        """A new connection through a network filter; call ``settle`` after each event."""
        return Connection(self.vm, self.vm.new_context(Context, self.root, self._prefix))

    def filter_context(self) -> HttpFilter:
        """The filter in one stream, for those that chain several."""
        context = self.vm.new_context(HttpFilter, self.root, self._prefix)
        context.vm = self.vm
        return context

    def settle(self) -> None:
        """Do what became due while a guest was running, such as telling about queues."""
        for _ in range(_MOST_SOON):
            if not self.world.soon:
                return
            self.world.soon.popleft()()
        raise FilterRefused("the filter keeps filling queues without an end")

    def next_due(self) -> int | None:
        """When something happens by itself: a tick or a call that times out."""
        moments = [timer.due for timer in self.vm.timers.values()]
        moments += [call.due for call in self.world.pending.values() if call.due is not None]
        return min(moments, default=None)

    def advance(self, nanoseconds: int) -> None:
        """Let time pass; ticks and timeouts come in their order."""
        end = self.world.clock.now + nanoseconds
        while (due := self.next_due()) is not None and due <= end:
            self.world.clock.now = max(due, self.world.clock.now)
            self._happen(due)
        self.world.clock.now = end

    def _happen(self, due: int) -> None:
        for call in list(self.world.pending.values()):
            if call.due is not None and call.due <= due:
                self.time_out(call)
        for timer in list(self.vm.timers.values()):
            if timer.due <= due:
                timer.due = due + timer.period_ms * NS_PER_MS
                self.tick(timer.root)

    def tick(self, root: Context | None = None) -> None:
        """Tell a root context that time passed."""
        root = root or self.root
        self.vm.refuel()
        self.vm.call(root, "proxy_on_tick", root.id)
        self.settle()

    def reply(self, call: Callout, headers: Pairs, body: bytes = b"", trailers: Pairs = ()) -> None:
        """Answer an HTTP call; Envoy's client says in a header of its own how long it took."""
        received = ResponseHeaders(headers)
        received.replace(_TOOK, str((self.world.clock.now - call.made_at) // NS_PER_MS))
        self._answer(call, Reply(received, body, ResponseTrailers(trailers) if trailers else None))

    def time_out(self, call: Callout) -> None:
        """Let a call run into its timeout: an HTTP call is answered with 504, as Envoy does."""
        if call.kind != "http":
            self._grpc(call, grpc.time_out)
            return
        length = str(len(_TIMEOUT_BODY))
        headers = ((":status", "504"), ("content-length", length), ("content-type", "text/plain"))
        self._answer(call, Reply(ResponseHeaders(headers), _TIMEOUT_BODY))

    def fail(self, call: Callout) -> None:
        """Break a call off; of HTTP without any answer, of gRPC after its beginning."""
        if call.kind != "http":
            self._grpc(call, grpc.break_off)
            return
        context = self.vm.contexts.get(call.context)
        if context is not None:
            context.status = _BROKEN, "reset"
        self._answer(call, None)

    def _answer(self, call: Callout, answer: Reply | None) -> None:
        context = self.vm.contexts.get(call.context)
        if self.world.pending.pop(call.number, None) is None or context is None:
            return
        sizes = (0, 0, 0)
        if answer is not None:
            sizes = len(answer.headers), len(answer.body), len(answer.trailers or ())
        self.vm.refuel()
        context.reply = answer
        self.vm.call(context, "proxy_on_http_call_response", context.id, call.number, *sizes)
        context.reply = None
        context.status = (context.status[0], "")
        self._complete_streams()
        self.settle()

    def grpc_answer(self, call: Callout, reply: GrpcReply) -> None:
        """Answer a gRPC call, or say something more on a stream."""
        self._grpc(call, partial(grpc.answer, reply=reply))

    def _grpc(self, call: Callout, happen: Callable[[Vm, Callout], None]) -> None:
        if call.number in self.world.pending and call.context in self.vm.contexts:
            self.vm.refuel()
            happen(self.vm, call)
            self._complete_streams()
            self.settle()

    def _complete_streams(self) -> None:
        for context in list(self.vm.contexts.values()):
            if context.peer is not None:
                context.peer.complete()

    def shut_down(self) -> None:
        """Take the plugin away: the root is asked whether it is done, and deleted when it is."""
        for context in list(self.vm.contexts.values()):
            if context.peer is not None:
                context.peer.abandon()
        done = self.vm.call(self.root, "proxy_on_done", self.root.id)
        if done or not self.vm.has("proxy_on_done"):
            self.vm.delete(self.root)
        else:
            self.vm.waiting.add(self.root.id)
        self.settle()


def _prefix(*words: str) -> str:
    return "".join(f" {word}" for word in words if word)
