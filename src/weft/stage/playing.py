"""Do the steps of a scenario around a real Envoy, and say what differed."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from weft.envoy import Record
from weft.scenario import (
    Case,
    Expect,
    Impossible,
    LeftOut,
    Mismatch,
    Observed,
    ObservedMessage,
    Played,
    Step,
    StepResult,
    header_pairs,
    judge,
    milliseconds,
    request_headers,
)
from weft.stage.calls import Calls
from weft.stage.connections import Connections
from weft.stage.documents import PORT, PROTO
from weft.stage.ear import failure, own_lines, trace_lines
from weft.stage.http2 import Peer, Stream
from weft.stage.limits import NotHere, case_limits, fit, step_limit
from weft.stage.seeing import (
    clock_was_read,
    ever_ticked,
    message_in,
    request_in,
    seen_metrics,
    seen_reply,
    tick_period,
)
from weft.stage.sending import send, send_body
from weft.stage.stage import Stage
from weft.stage.ticking import Ticking
from weft.stage.told import Project, case_documents, servers, vm_ids
from weft.symbols import annotated

__all__ = ["play_on_stage"]

_ATTEMPTS = 20
"""How often a filter is started until Envoy's working thread is the one that is told of its queues."""
_UNTOLD = LeftOut("queues", "Envoy tells its main thread what comes into them")


async def play_on_stage(
    case: Case,
    stage: Stage,
    project: Project,
    vm_id: str,
    known: frozenset[str] = frozenset(),
    others: Mapping[str, bytes] = MappingProxyType({}),
) -> Played:
    """Run a case; the filter is taken away again afterwards, or the stage is ``spent``. Raises ``Lost``.

    ``vm_id`` is new for each case; ``known`` are servers that the filter may call where the case
    does not say; ``others`` are the modules of its neighbors by the names that the case has for them.
    """
    if limits := case_limits(case):
        return Played(case, (StepResult(0, (), (), left_out=limits),), "envoy")
    await stage.allow(servers(case, known))

    def file_of(name: str | None) -> str:
        return str(stage.module if name is None else stage.module_file(others[name]))

    for attempt in range(_ATTEMPTS):
        vm = f"{vm_id}-{attempt}"
        player = _Player(case, stage, vm)
        started = await _start(stage, case_documents(case, project, vm_id=vm, files=file_of))
        if started is not None:
            results = [result async for result in player.run(started=started)]
            stage.spent = player.holds
            player.close()
            if not stage.spent:
                await stage.take_away()
            return Played(case, tuple(results), "envoy")
        await stage.take_away()
    return Played(case, (StepResult(0, (), (), left_out=(_UNTOLD,)),), "envoy")


async def _start(stage: Stage, documents: Mapping[str, dict[str, Any]]) -> bool | None:
    """Whether all filters of a case started; ``None`` where one does not hear of its queues."""
    for place, document in documents.items():
        before = stage.ear.place
        if not await stage.put(document, place):
            return False
        if not stage.ear.reads_queues(before):
            return None
    return True


@dataclass(slots=True)
class _Exchange:
    """A request on its way, and its response."""

    peer: Peer
    client: Stream
    upstream: Stream | None = None
    dated: bool = False
    answered: bool = False
    """Whether the upstream's response began."""
    gone: bool = False
    """Whether the client went away."""

    @property
    def was_reset(self) -> bool:
        """Whether it came to no end."""
        return self.gone or (self.client.broken and not self.client.ended)


class _Player:
    """Named streams through one filter."""

    def __init__(self, case: Case, stage: Stage, vm_id: str) -> None:
        self._case = case
        self._stage = stage
        self._vm_ids = vm_ids(case, vm_id)
        self._exchanges: dict[str, _Exchange] = {}
        self._peers: list[Peer] = []
        self._calls = Calls(stage)
        self._connections = Connections(stage)
        self._ticking = Ticking(stage, self._calls, lambda: self._records)
        self._start = self._step_start = stage.ear.place

    def close(self) -> None:
        """Hang up everywhere."""
        for peer in self._peers:
            peer.close()
        self._connections.close()

    async def run(self, *, started: bool) -> AsyncIterator[StepResult]:
        """Each step, until one differs or cannot be done; then the end."""
        case = self._case
        if not started:
            yield self._refused()
            return
        if case.expect is not None and case.expect.refused:
            yield self._result(0, judge(Expect(refused=True), Observed()))
            return
        yield self._result(0, [], await self._observed(""))
        for number, step in enumerate(case.steps, 1):
            self._step_start = self._stage.ear.place
            self._calls.mark()
            try:
                result = await self._play(number, step)
            except NotHere as not_here:
                yield self._result(number, [], left=(not_here.left_out,))
                return
            yield result
            if result.mismatches:
                return
        if case.expect is not None:
            self._step_start = self._start
            self._calls.tell_all()
            last = case.steps[-1].stream if case.steps else "main"
            number = len(case.steps) + 1
            try:
                yield await self._judged(number, case.expect, last, traced=False)
            except NotHere as not_here:
                yield self._result(number, [], left=(not_here.left_out,), traced=False)

    async def _play(self, number: int, step: Step) -> StepResult:
        ticking = ever_ticked(self._records) if self._chained else bool(tick_period(self._records))
        if limit := step_limit(step, ticking=ticking, chained=self._chained):
            raise NotHere(limit)
        try:
            await self._act(step)
        except Impossible as impossible:
            return self._result(number, [impossible.mismatch])
        return await self._judged(number, step.expect or self._silent(), step.stream)

    async def _judged(self, number: int, expect: Expect, stream: str, *, traced: bool = True) -> StepResult:
        """Raises ``NotHere`` for what time may have done that is not the scenario's: a tick, a timeout."""
        seen = await self._observed(stream)
        self._ticking.check()
        self._calls.check()
        fitting, left = fit(expect, seen, clock_read=self.clock_read, unknown=self._unknown)
        return self._result(number, judge(fitting, seen), seen, left, traced=traced)

    def _silent(self) -> Expect:
        """What holds after a step that expects nothing: no failure, unless the end expects one."""
        crash = self._case.expect.crash if self._case.expect is not None else None
        return Expect(crash=crash) if crash is not None and failure(self._records) else Expect()

    def _refused(self) -> StepResult:
        records = self._stage.ear.configured(self._start)
        words = "\n".join(record.message for record in records if record.level not in {"trace", "debug"})
        seen = Observed(logs=own_lines(records, self._vm_ids), refused=words or "refused by Envoy")
        found = judge(self._case.expect or Expect(), seen)
        return StepResult(0, tuple(found), trace_lines(records), seen)

    def _result(
        self,
        number: int,
        found: list[Mismatch],
        seen: Observed | None = None,
        left: tuple[LeftOut, ...] = (),
        *,
        traced: bool = True,
    ) -> StepResult:
        trace = trace_lines(self._stage.ear.worked(self._step_start)) if traced else ()
        return StepResult(number, tuple(found), trace, seen, left)

    def _failure(self) -> str | None:
        found = failure(self._records)
        if found is None or any(one.module for one in self._case.setup.neighbors):
            return found
        return "\n".join(annotated(found.split("\n"), self._stage.symbols))

    @property
    def _chained(self) -> bool:
        return len(self._vm_ids) > 1

    @property
    def _records(self) -> list[Record]:
        return self._stage.ear.worked(self._start)

    @property
    def holds(self) -> bool:
        """Whether the filter holds something that Envoy cannot be told is gone."""
        return self._connections.held

    @property
    def clock_read(self) -> bool:
        """Whether the filter asked what time it is."""
        return clock_was_read(self._records)

    async def _observed(self, name: str) -> Observed:
        exchange, records = self._exchanges.get(name), self._records
        metrics, self._unknown = seen_metrics(await self._stage.metrics(), records, chained=self._chained)
        client = exchange.client if exchange else None
        sent = request_in(exchange.upstream) if exchange else ObservedMessage()
        received = message_in(client, dated=bool(exchange and exchange.dated))
        reset = bool(exchange and exchange.was_reset)
        if name in self._connections:
            sent, received, reset = self._connections.seen(name)
        return Observed(
            upstream=sent,
            client=received,
            local_reply=seen_reply(client, records) if client else None,
            reset=reset,
            calls=self._calls.seen,
            logs=own_lines(self._stage.ear.worked(self._step_start), self._vm_ids),
            metrics=metrics,
            failure=self._failure(),
        )

    # -- what happens

    async def _act(self, step: Step) -> None:
        actions: dict[str, Callable[[Step], Awaitable[None]]] = {
            "request": self._request,
            "request_body": self._request_body,
            "response": self._response,
            "response_body": self._response_body,
            "request_metadata": self._request_metadata,
            "response_metadata": self._response_metadata,
            "reply": self._reply,
            "tick": self._tick,
            "advance": self._advance,
            "disconnect": self._disconnect,
        }
        if step.is_network or (step.disconnect and step.stream in self._connections):
            await self._connections.act(step)
        else:
            for action in step.actions:
                await actions[action](step)
        await self._stage.settle()
        self._calls.note()
        self._sort_arrived()
        self._connections.sort_relayed()

    def _sort_arrived(self) -> None:
        """Find out whose request it is that reached the upstream: by the port it came from."""
        ports = {str(exchange.peer.port): exchange for exchange in self._exchanges.values()}
        for stream in self._stage.arrived:
            exchange = ports.get(dict(stream.headers or ()).get(PORT, ""))
            if exchange is not None:
                exchange.upstream = stream

    def _exchange(self, name: str) -> _Exchange:
        if name not in self._exchanges:
            raise Impossible(f"stream {name}", "a request came before", "there was none")
        return self._exchanges[name]

    async def _request(self, step: Step) -> None:
        message = step.request
        assert message is not None  # noqa: S101 - its caller looked
        peer = await self._stage.connect()
        self._peers.append(peer)
        exchange = self._exchanges[step.stream] = _Exchange(peer, peer.stream())
        headers = sorted(request_headers(message), key=lambda pair: not pair[0].startswith(":"))
        renamed = tuple((PROTO if name == "x-forwarded-proto" else name, value) for name, value in headers)
        send(exchange.client, renamed, message)

    async def _request_body(self, step: Step) -> None:
        send_body(self._exchange(step.stream).client, step.request_body)

    async def _response(self, step: Step) -> None:
        message, exchange = step.response, self._exchange(step.stream)
        assert message is not None  # noqa: S101 - its caller looked
        if exchange.upstream is None:
            answered = exchange.client.headers is not None
            got = "the filter answered itself" if answered else "the filter holds it"
            raise Impossible("response", "the request went to the upstream", got)
        if exchange.answered:
            raise Impossible("response", "the only one of its stream", "one came before")
        if exchange.gone:
            raise Impossible("response", "a stream that is open", "it is over")
        headers = ((":status", str(message.status)), *header_pairs(message.headers))
        exchange.dated, exchange.answered = "date" in dict(headers), True
        send(exchange.upstream, headers, message)

    async def _response_body(self, step: Step) -> None:
        exchange = self._exchange(step.stream)
        if exchange.upstream is None or not exchange.answered:
            raise Impossible("response_body", "a response came before", "there was none")
        send_body(exchange.upstream, step.response_body)

    async def _request_metadata(self, step: Step) -> None:
        _send_metadata(step, self._exchange(step.stream).client)

    async def _response_metadata(self, step: Step) -> None:
        exchange = self._exchange(step.stream)
        if exchange.upstream is None or not exchange.answered:
            raise Impossible("response_metadata", "a response came before", "there was none")
        _send_metadata(step, exchange.upstream)

    async def _reply(self, step: Step) -> None:
        if step.reply is not None:
            await self._calls.reply(step.reply)

    async def _tick(self, step: Step) -> None:
        await self._ticking.tick(step.tick or 0)

    async def _advance(self, step: Step) -> None:
        await self._calls.wait(milliseconds(step.advance or 0) or 0)

    async def _disconnect(self, step: Step) -> None:
        exchange = self._exchange(step.stream)
        exchange.gone = exchange.gone or not exchange.client.ended
        exchange.peer.close()


def _send_metadata(step: Step, stream: Stream) -> None:
    said = step.request_metadata or step.response_metadata or {}
    if stream.finished:
        raise Impossible(step.actions[0], "a message that is open", "it came to its end")
    stream.send_metadata(tuple((name, str(value)) for name, value in said.items()))
