"""Compare what was expected with what was observed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from weft.scenario.document import (
    CallExpect,
    Expect,
    HeaderMatcher,
    LogExpect,
    Match,
    Matcher,
    MessageExpect,
    ReplyExpect,
)
from weft.scenario.matching import decoded, described, matches
from weft.scenario.observed import Observed, ObservedCall, ObservedLog, ObservedMessage, ObservedReply, Pairs

__all__ = ["Mismatch", "judge"]

_LEVELS = ("trace", "debug", "info", "warn", "error", "critical")
_NOTHING = "(nothing)"


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One thing that is not as it should be."""

    what: str
    """``client.headers.hello``."""
    expected: str
    got: str


def judge(expect: Expect, observed: Observed) -> list[Mismatch]:
    """Everything that differs; empty when all is well."""
    return list(_judge(expect, observed))


def _judge(expect: Expect, seen: Observed) -> Iterator[Mismatch]:
    yield from _start(expect, seen)
    if expect.upstream is not None:
        yield from _message("upstream", expect.upstream, seen.upstream)
    if expect.client is not None:
        yield from _message("client", expect.client, seen.client)
    if expect.local_reply is not None:
        yield from _reply(expect.local_reply, seen.local_reply)
    yield from _flag("reset", expect.reset, got=seen.reset)
    if expect.calls is not None:
        yield from _calls(expect.calls, seen.calls)
    yield from _logs(expect, seen.logs)
    for name, wanted in (expect.metrics or {}).items():
        yield from _metric(name, wanted, seen.metrics.get(name))
    for key, value in (expect.shared_data or {}).items():
        held = seen.shared_data.get(key)
        yield from _text(f"shared_data.{key}", value, None if held is None else decoded(held))


def _start(expect: Expect, seen: Observed) -> Iterator[Mismatch]:
    if expect.refused and seen.refused is None:
        yield Mismatch("refused", "the configuration is refused", "the filter accepts it")
    elif seen.refused is not None and not expect.refused:
        yield Mismatch("refused", "the filter starts", seen.refused)
    if expect.crash is not None:
        yield from _text("crash", expect.crash, seen.failure)
    elif seen.failure is not None:
        yield Mismatch("crash", "the filter lives", seen.failure)


def _message(side: str, expect: MessageExpect, seen: ObservedMessage) -> Iterator[Mismatch]:
    sent = seen.headers is not None
    if expect.sent is not None and expect.sent != sent:
        yield Mismatch(side, "something is sent" if expect.sent else "nothing is sent", _shown(seen.headers))
        return
    if expect.status is not None:
        status = dict(seen.headers or ()).get(":status")
        yield from _text(f"{side}.status", expect.status, status)
    yield from _headers(f"{side}.headers", expect.headers or {}, seen.headers or ())
    if expect.only_headers is not None:
        yield from _headers(f"{side}.headers", expect.only_headers, seen.headers or ())
        others = tuple(item for item in seen.headers or () if item[0] not in _lower(expect.only_headers))
        if others:
            yield Mismatch(f"{side}.headers", "no others", _shown(others))
    if expect.body is not None:
        yield from _text(f"{side}.body", expect.body, decoded(seen.body) if sent else None)
    yield from _headers(f"{side}.trailers", expect.trailers or {}, seen.trailers or ())
    yield from _flag(f"{side}.ended", expect.ended, got=seen.ended)


def _lower(names: Mapping[str, HeaderMatcher]) -> set[str]:
    return {name.lower() for name in names}


def _headers(what: str, expect: Mapping[str, HeaderMatcher], seen: Pairs) -> Iterator[Mismatch]:
    for name, wanted in expect.items():
        values = [value for known, value in seen if known == name.lower()]
        if isinstance(wanted, list):
            if values != [str(item) for item in wanted]:
                yield Mismatch(f"{what}.{name}", ", ".join(map(str, wanted)), ", ".join(values) or _NOTHING)
        else:
            yield from _text(f"{what}.{name}", wanted, values[0] if values else None)


def _reply(expect: ReplyExpect | bool, seen: ObservedReply | None) -> Iterator[Mismatch]:
    if isinstance(expect, bool):
        if expect != (seen is not None):
            got = _NOTHING if seen is None else f"{seen.status} {decoded(seen.body)!r}"
            yield Mismatch("local_reply", "a local reply" if expect else "none", got)
        return
    if seen is None:
        yield Mismatch("local_reply", "a local reply", _NOTHING)
        return
    looks = (
        ("status", expect.status, str(seen.status)),
        ("body", expect.body, decoded(seen.body)),
        ("details", expect.details, seen.details),
        ("grpc_status", expect.grpc_status, None if seen.grpc_status is None else str(seen.grpc_status)),
    )
    yield from _texts("local_reply", looks)


def _calls(expect: Sequence[CallExpect], seen: Sequence[ObservedCall]) -> Iterator[Mismatch]:
    if len(expect) != len(seen):
        got = "; ".join(f"{call.cluster} {_shown(call.headers)}" for call in seen) or _NOTHING
        yield Mismatch("calls", f"{len(expect)} calls" if len(expect) != 1 else "1 call", got)
        return
    for number, (wanted, call) in enumerate(zip(expect, seen, strict=True)):
        what = f"calls[{number}]"
        called = (
            ("cluster", wanted.cluster, call.cluster),
            ("service", wanted.service, call.service),
            ("method", wanted.method, call.method),
            ("body", wanted.body, decoded(call.body)),
            ("timeout", wanted.timeout, str(call.timeout_ms)),
        )
        yield from _texts(what, called)
        yield from _headers(f"{what}.headers", wanted.headers or {}, call.headers)
        yield from _headers(f"{what}.trailers", wanted.trailers or {}, call.trailers)
        yield from _messages(what, wanted, call)
        yield from _flag(f"{what}.ended", wanted.ended, got=call.ended)
        yield from _flag(f"{what}.reset", wanted.reset, got=call.reset)


def _messages(what: str, wanted: CallExpect, call: ObservedCall) -> Iterator[Mismatch]:
    """One, or all of them."""
    expect = [wanted.message] if wanted.message is not None else wanted.messages
    if expect is None:
        return
    said = [decoded(message) for message in call.messages]
    if len(expect) != len(said):
        count = f"{len(expect)} messages" if len(expect) != 1 else "1 message"
        yield Mismatch(f"{what}.messages", count, "; ".join(said) or _NOTHING)
        return
    for number, (matcher, message) in enumerate(zip(expect, said, strict=True)):
        yield from _text(f"{what}.messages[{number}]", matcher, message)


def _logs(expect: Expect, seen: Sequence[ObservedLog]) -> Iterator[Mismatch]:
    said = "\n".join(f"{line.level}: {line.message}" for line in seen) or _NOTHING
    for wanted in expect.logs or ():
        level, matcher = (wanted.level, wanted.message) if isinstance(wanted, LogExpect) else (None, wanted)
        if not any(level in {None, line.level} and matches(matcher, line.message) for line in seen):
            yield Mismatch("logs", f"{level}: {described(matcher)}" if level else described(matcher), said)
    if expect.quiet is not None:
        loud = _LEVELS[_LEVELS.index(expect.quiet) :]
        if any(line.level in loud for line in seen):
            yield Mismatch("logs", f"nothing at {expect.quiet} or above", said)


def _metric(name: str, wanted: int | list[int] | Match, got: int | list[int] | None) -> Iterator[Mismatch]:
    if isinstance(wanted, Match):
        yield from _text(f"metrics.{name}", wanted, None if got is None else str(got))
    elif wanted != got:
        yield Mismatch(f"metrics.{name}", str(wanted), _NOTHING if got is None else str(got))


def _text(what: str, matcher: Matcher, got: str | None) -> Iterator[Mismatch]:
    if not matches(matcher, got):
        yield Mismatch(what, described(matcher), _NOTHING if got is None else got)


def _flag(what: str, wanted: bool | None, *, got: bool) -> Iterator[Mismatch]:
    if wanted not in {None, got}:
        yield Mismatch(what, str(wanted).lower(), str(got).lower())


def _texts(what: str, looks: Iterable[tuple[str, Matcher | None, str | None]]) -> Iterator[Mismatch]:
    for name, matcher, got in looks:
        if matcher is not None:
            yield from _text(f"{what}.{name}", matcher, got)


def _shown(pairs: Pairs | None) -> str:
    return ", ".join(f"{name}: {value}" for name, value in pairs) if pairs else _NOTHING
