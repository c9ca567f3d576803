"""Do the steps of a scenario on the host, and say what differed."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, ClassVar

from weft.errors import FilterRefused, UsageError
from weft.scenario import (
    Case,
    Data,
    Expect,
    Impossible,
    Mismatch,
    Neighbor,
    Observed,
    ObservedLog,
    ObservedMessage,
    ObservedReply,
    Played,
    Step,
    StepResult,
    config_bytes,
    header_pairs,
    judge,
    milliseconds,
    pieces,
    request_headers,
)
from weft.scenario import Plugin as Said
from weft.testhost.abi import Buffer
from weft.testhost.engine import Limits
from weft.testhost.playing.callouts import Callouts
from weft.testhost.proxy import Chain, ChainStream
from weft.testhost.streams import Connection, HttpStream, LocalReply, Message
from weft.testhost.vm import NS_PER_MS, Code, Plugin
from weft.testhost.world import Clock, World

__all__ = ["Player", "chain_of", "not_started", "play", "world_of"]

_Stream = HttpStream | ChainStream
_DOWN, _UP = Buffer.DOWNSTREAM_DATA, Buffer.UPSTREAM_DATA


def play(
    case: Case, code: Code, defaults: Plugin, others: Mapping[str, Code] = MappingProxyType({})
) -> Played:
    """Run a case. ``defaults`` is what the project says where the scenario says nothing.

    ``others`` are the modules of the filter's neighbors by the names that the case has for them.
    """
    world = world_of(case)
    try:
        chain = chain_of(case, world, code, defaults, others)
    except FilterRefused as refused:
        return Played(case, (not_started(case, world, refused),))
    return Played(case, tuple(Player(chain).run(case)))


def not_started(case: Case, world: World, refused: FilterRefused) -> StepResult:
    """How a case begins and ends whose filter did not start."""
    words = f"{refused}\n{refused.detail}" if refused.detail else str(refused)
    seen = Observed(logs=tuple(ObservedLog(line.level, line.message) for line in world.logs), refused=words)
    return StepResult(0, tuple(judge(case.expect or Expect(), seen)), tuple(world.trace), seen)


class Player:
    """A chain of filters, most often of one, with named streams."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.streams: dict[str, _Stream] = {}
        """By name."""
        self.connections: dict[str, Connection] = {}
        """By name."""
        self.callouts = Callouts(chain)
        self._begun: list[_Stream | Connection] = []
        """All of them: a later stream may have the name of an earlier one."""
        self._answered: set[str] = set()
        """Streams whose upstream answered."""
        self._seen_logs = self._seen_trace = 0

    def run(self, case: Case) -> Iterator[StepResult]:
        """Each step, until one differs; then the end."""
        wants_refusal = case.expect is not None and case.expect.refused
        if wants_refusal:
            yield self._result(0, judge(Expect(refused=True), Observed()))
            return
        yield self.begin()
        for number, step in enumerate(case.steps, 1):
            try:
                result = self.take(number, step, case.expect)
            except Impossible as impossible:
                result = self._result(number, [impossible.mismatch])
            yield result
            if result.mismatches:
                return
        if case.expect is not None:
            self._seen_logs = 0
            self.callouts.tell_all()
            last = case.steps[-1].stream if case.steps else "main"
            seen = self._observed(last)
            yield self._result(len(case.steps) + 1, judge(case.expect, seen), seen)

    def begin(self) -> StepResult:
        """What is seen before anything happened."""
        return self._result(0, [], self._observed(""))

    def take(self, number: int, step: Step, last: Expect | None = None) -> StepResult:
        """Do a step and judge what is seen then; ``last`` is what the case expects at its end.

        Raises ``Impossible``.
        """
        self._seen_logs = len(self.chain.world.logs)
        self.callouts.mark()
        self.act(step)
        seen = self._observed(step.stream)
        return self._result(number, judge(step.expect or self._silent(last), seen), seen)

    def _silent(self, last: Expect | None) -> Expect:
        """What holds after a step that expects nothing: no failure, unless the end expects one."""
        crash = last.crash if last is not None else None
        return Expect(crash=crash) if crash is not None and self.chain.failure is not None else Expect()

    def _result(self, number: int, found: list[Mismatch], seen: Observed | None = None) -> StepResult:
        trace = self.chain.world.trace
        start, self._seen_trace = self._seen_trace, len(trace)
        return StepResult(number, tuple(found), tuple(trace[start:]), seen)

    def _observed(self, name: str) -> Observed:
        world = self.chain.world
        stream = self.connections.get(name) or self.streams.get(name)
        local = None if stream is None or isinstance(stream, Connection) else stream.local_reply
        return Observed(
            upstream=_message(stream.upstream) if stream else ObservedMessage(),
            client=_message(stream.client) if stream else ObservedMessage(),
            local_reply=None if local is None else _local(local),
            reset=bool(stream and stream.reset),
            calls=self.callouts.seen,
            logs=tuple(ObservedLog(line.level, line.message) for line in world.logs[self._seen_logs :]),
            metrics=world.metrics.document(),
            shared_data=world.shared_data.document(),
            failure=self.chain.failure,
        )

    def hang_up(self) -> None:
        """Both ends go away, and are forgotten; so are calls that nobody waits for."""
        for one in self._begun if self.chain.failure is None else ():
            one.abandon()
            if isinstance(one, Connection) and not one.closed:
                one.break_off()
            self.chain.settle()
        for known in (self.streams, self.connections, self._begun, self._answered):
            known.clear()
        self.callouts.forget()

    def act(self, step: Step) -> None:
        """Do a step; raises ``Impossible``."""
        if step.is_network:
            self._relay(step)
        else:
            for action in step.actions:
                self.actions[action](self, step)
        self.chain.settle()

    def _relay(self, step: Step) -> None:
        if step.connect:
            made = self.connections[step.stream] = self.chain.connection()
            self._begun.append(made)
            made.connect()
            return
        connection = self.connections.get(step.stream)
        if connection is None:
            raise Impossible(f"stream {step.stream}", "a client connected before", "there was none")
        if step.downstream_data is not None:
            self._say(connection, _DOWN, step.downstream_data)
        elif step.upstream_data is not None:
            if not connection.opened:
                raise Impossible(
                    "upstream_data", "the connection reached the upstream", "the filter holds it"
                )
            self._say(connection, _UP, step.upstream_data)

    def _say(self, connection: Connection, side: Buffer, said: Data) -> None:
        for piece in pieces(said.data, said.chunks):
            connection.send(side, piece)
            self.chain.settle()
        if said.end:
            connection.end(side)
        if said.reset:
            connection.break_off()

    def _stream(self, name: str) -> _Stream:
        if name not in self.streams:
            raise Impossible(f"stream {name}", "a request came before", "there was none")
        return self.streams[name]

    def _request(self, step: Step) -> None:
        message = step.request
        assert message is not None  # noqa: S101 - its caller looked
        stream = self.streams[step.stream] = self.chain.stream()
        self._begun.append(stream)
        self._answered.discard(step.stream)
        bare = not (message.open or message.body or message.chunks or message.trailers)
        stream.request_headers(request_headers(message), end=bare)
        if not bare:
            self._body(stream, "request", message)

    def _response(self, step: Step) -> None:
        message, stream = step.response, self._stream(step.stream)
        assert message is not None  # noqa: S101 - its caller looked
        if stream.upstream.headers is None:
            got = "the filter answered itself" if stream.local_reply else "the filter holds it"
            raise Impossible("response", "the request went to the upstream", got)
        if step.stream in self._answered:
            raise Impossible("response", "the only one of its stream", "one came before")
        if stream.finished:
            raise Impossible("response", "a stream that is open", "it is over")
        self._answered.add(step.stream)
        headers = [(":status", str(message.status)), *header_pairs(message.headers)]
        bare = not (message.open or message.body or message.chunks or message.trailers)
        stream.response_headers(headers, end=bare)
        if not bare:
            self._body(stream, "response", message)

    def _request_body(self, step: Step) -> None:
        self._body(self._stream(step.stream), "request", step.request_body)

    def _response_body(self, step: Step) -> None:
        stream = self._stream(step.stream)
        if step.stream not in self._answered:
            raise Impossible("response_body", "a response came before", "there was none")
        self._body(stream, "response", step.response_body)

    def _metadata(self, step: Step) -> None:
        (word,), stream = step.actions, self._stream(step.stream)
        if step.request_metadata is not None:
            could = stream.request_metadata(len(step.request_metadata))
        elif step.stream not in self._answered:
            raise Impossible(word, "a response came before", "there was none")
        else:
            could = stream.response_metadata(len(step.response_metadata or {}))
        if not could:
            raise Impossible(word, "a message that is open", "it came to its end")

    def _body(self, stream: _Stream, side: str, message: Any) -> None:
        feed = stream.request_body if side == "request" else stream.response_body
        chunks = pieces(message.body, message.chunks)
        ends_here = not message.open and not message.trailers
        for index, chunk in enumerate(chunks):
            feed(chunk, end=ends_here and index == len(chunks) - 1)
        if not chunks and ends_here:
            feed(b"", end=True)
        if message.trailers:
            trailers = header_pairs(message.trailers)
            (stream.request_trailers if side == "request" else stream.response_trailers)(trailers)

    def _reply(self, step: Step) -> None:
        if step.reply is not None:
            self.callouts.reply(step.reply)

    def _tick(self, step: Step) -> None:
        for _ in range(step.tick or 0):
            due = self.chain.next_tick()
            if due is None:
                raise Impossible("tick", "a timer", "the filter set none")
            self.chain.advance(due - self.chain.world.clock.now)

    def _advance(self, step: Step) -> None:
        self.chain.advance((milliseconds(step.advance or 0) or 0) * NS_PER_MS)

    def _disconnect(self, step: Step) -> None:
        (self.connections.get(step.stream) or self._stream(step.stream)).abandon()

    actions: ClassVar[Mapping[str, Callable[["Player", Step], None]]] = {
        "request": _request,
        "request_body": _request_body,
        "request_metadata": _metadata,
        "response": _response,
        "response_body": _response_body,
        "response_metadata": _metadata,
        "reply": _reply,
        "tick": _tick,
        "advance": _advance,
        "disconnect": _disconnect,
    }


def world_of(case: Case) -> World:
    """What is around the filter."""
    setup = case.setup
    world = World(properties=setup.properties or {}, log_level=setup.log_level or "trace")
    if setup.clock is not None:
        world.clock = Clock(_moment(setup.clock, case.where))
    if setup.clusters is not None:
        world.clusters = frozenset(setup.clusters)
    return world


def _moment(text: str, where: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{where}: {text!r} is no moment", hint="write 2026-01-01T00:00:00Z") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(moment.timestamp()) * 1_000_000_000


def chain_of(
    case: Case,
    world: World,
    code: Code,
    defaults: Plugin,
    others: Mapping[str, Code],
    limits: Limits | None = None,
) -> Chain:
    """The case's filters, started. Raises ``FilterRefused``."""
    return Chain.start(_filters(case, code, defaults, others), world, limits)


def _filters(
    case: Case, code: Code, defaults: Plugin, others: Mapping[str, Code]
) -> list[tuple[Code, Plugin]]:
    """The chain in order."""
    before, after = case.setup.before or [], case.setup.after or []
    beside = [_neighbor(said, at, code, defaults, others) for at, said in enumerate([*before, *after], 1)]
    return [*beside[: len(before)], (code, _plugin(case.plugin, defaults)), *beside[len(before) :]]


def _neighbor(
    said: Neighbor, number: int, code: Code, defaults: Plugin, others: Mapping[str, Code]
) -> tuple[Code, Plugin]:
    """Its VM is nobody else's."""
    own = defaults if said.module is None else Plugin()
    module = code if said.module is None else others[said.module]
    return module, _plugin(said, replace(own, vm_id=f"neighbor-{number}"))


def _plugin(said: Said, defaults: Plugin) -> Plugin:
    return Plugin(
        name=defaults.name if said.name is None else said.name,
        root_id=defaults.root_id if said.root_id is None else said.root_id,
        vm_id=defaults.vm_id if said.vm_id is None else said.vm_id,
        config=defaults.config if said.config is None else config_bytes(said.config),
        vm_config=defaults.vm_config if said.vm_config is None else config_bytes(said.vm_config),
        environment=said.environment or {},
        fail_open=bool(said.fail_open),
    )


def _message(message: Message) -> ObservedMessage:
    return ObservedMessage(message.headers, bytes(message.body), message.trailers, message.ended)


def _local(reply: LocalReply) -> ObservedReply:
    return ObservedReply(reply.status, reply.body, reply.details, reply.grpc_status)
