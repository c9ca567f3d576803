"""What a scenario can say that a real Envoy cannot do or does not show, and why. Pure.

Each is a ``LeftOut``: it is told to the user and nothing is judged by it. What this module does not know of
the format is left out too, so that a word that was added later is never taken for passed.
"""

from collections.abc import Iterator

import msgspec

from weft.scenario import (
    Case,
    Expect,
    LeftOut,
    Observed,
    ReplyExpect,
    Step,
    header_pairs,
    milliseconds,
    withheld_body,
)
from weft.stage.documents import MOST_NEIGHBORS

__all__ = ["MOST_MS", "NotHere", "case_limits", "fit", "step_limit"]


class NotHere(Exception):
    """A step that Envoy cannot do; the case ends before it."""

    def __init__(self, left_out: LeftOut) -> None:
        super().__init__(left_out.what)
        self.left_out = left_out


MOST_MS = 5000
"""How long is waited in earnest."""

_SETUP = {
    "clock": "Envoy's clock is the machine's",
    "properties": "Envoy takes properties from the connection itself",
    "log_level": "Envoy logs everything here, so that the calls of the filter can be seen",
}
_CONNECTION = {"connection", "host", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"}
_HTTP2 = "it is played over HTTP/2, which has none"
TICKS = "the filter's timer runs in real time, so the number of ticks is not exact"
_CLOCK = "the filter reads the clock, and time really passes; only their number is compared"
_ON_HOST = "it is looked at on the test host"
_SAME_LENGTH = "Envoy does not show which of several histograms was given which value"

_PLUGIN = {"name", "root_id", "vm_id", "config", "vm_config", "environment", "fail_open"}
_MESSAGE = {"headers", "body", "chunks", "trailers", "open"}
_KNOWN = {
    "Setup": {"clusters", "before", "after", *_SETUP},
    "Plugin": _PLUGIN,
    "Neighbor": {"module", *_PLUGIN},
    "Step": {
        *("stream", "expect", "request", "request_body", "response", "response_body", "reply"),
        *("tick", "advance", "disconnect", "connect", "downstream_data", "upstream_data"),
        *("request_metadata", "response_metadata"),
    },
    "Request": _MESSAGE,
    "Response": {"status", *_MESSAGE},
    "BodyPart": {"body", "chunks", "trailers", "open"},
    "Data": {"data", "chunks", "end", "reset"},
    "Reply": {
        *("cluster", "status", "timeout", "failed", "message", "messages", "grpc_status", "grpc_message"),
        *_MESSAGE,
    },
    "Expect": {
        *("upstream", "client", "local_reply", "reset", "calls", "logs", "quiet", "metrics"),
        *("shared_data", "refused", "crash", "held", "leaks"),
    },
    "MessageExpect": {"sent", "status", "headers", "only_headers", "body", "trailers", "ended"},
    "ReplyExpect": {"status", "body", "details", "grpc_status"},
    "CallExpect": {
        *("cluster", "headers", "body", "trailers", "timeout"),
        *("service", "method", "message", "messages", "ended", "reset"),
    },
}
"""What of the format is played here, by the names of its parts."""


def case_limits(case: Case) -> tuple[LeftOut, ...]:
    """Why the case cannot be played at all; empty when it can."""
    return tuple(_case_limits(case))


def _case_limits(case: Case) -> Iterator[LeftOut]:
    for name, reason in _SETUP.items():
        if getattr(case.setup, name) is not None:
            yield LeftOut(f"setup.{name}", reason)
    for name in ("before", "after"):
        if len(getattr(case.setup, name) or ()) > MOST_NEIGHBORS:
            yield LeftOut(f"setup.{name}", f"there are {MOST_NEIGHBORS} places")
    yield from _unknown("setup", case.setup)
    yield from _unknown("plugin", case.plugin)
    for number, step in enumerate(case.steps, 1):
        yield from _headers(number, step)
        yield from _unknown(f"step {number}", step)
    if case.expect is not None:
        yield from _unknown("expect", case.expect)


def _headers(number: int, step: Step) -> Iterator[LeftOut]:
    """What HTTP/2 has no form for: RFC 9113 §8.2.2 and §8.2.3."""
    for word, message in (("request", step.request), ("response", step.response), ("reply", step.reply)):
        if message is None:
            continue
        pairs = header_pairs(message.headers)
        for name, value in pairs:
            if name in _CONNECTION or (name == "te" and value != "trailers"):
                yield LeftOut(
                    f"step {number}: {word}.headers.{name}", "it is played over HTTP/2, which has none"
                )
        cookies = [value for name, value in pairs if name == "cookie"]
        if len(cookies) > 1:
            yield LeftOut(f"step {number}: {word}.headers.cookie", "HTTP/2 makes one of several")
        elif cookies == [""]:
            yield LeftOut(f"step {number}: {word}.headers.cookie", "HTTP/2 has no empty one")


def _unknown(where: str, part: msgspec.Struct) -> Iterator[LeftOut]:
    """Words that say something and were not in the format when this was written."""
    kinds = [kind.__name__ for kind in type(part).__mro__]
    known = next((_KNOWN[kind] for kind in kinds if kind in _KNOWN), None)
    if known is None:
        return
    for field in msgspec.structs.fields(part):
        value = getattr(part, field.name)
        if value == field.default:
            continue
        if field.name not in known:
            yield LeftOut(f"{where}.{field.name}", "it cannot be played there")
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, msgspec.Struct):
                yield from _unknown(f"{where}.{field.name}", inner)


def step_limit(step: Step, *, ticking: bool, chained: bool = False) -> LeftOut | None:
    """Why the case ends before this step; ``ticking``: the filter has set a timer, or one of several."""
    if (chained and step.tick is not None) or (ticking and step.advance is not None):
        return LeftOut("tick" if step.tick is not None else "advance", TICKS)
    if step.advance is not None and (milliseconds(step.advance) or 0) > MOST_MS:
        return LeftOut("advance", f"it would really take {step.advance}")
    return None


def fit(
    expect: Expect, seen: Observed, *, clock_read: bool, unknown: frozenset[str]
) -> tuple[Expect, tuple[LeftOut, ...]]:
    """``expect`` without what cannot be judged, and what that is.

    ``clock_read``: the filter looked at the time; ``unknown``: histograms whose values nobody knows.
    """
    left = [
        LeftOut(f"shared_data.{key}", "Envoy does not show shared data") for key in expect.shared_data or ()
    ]
    left += [LeftOut(word, _ON_HOST) for word in ("held", "leaks") if getattr(expect, word) is not None]
    expect = msgspec.structs.replace(expect, shared_data=None, held=None, leaks=None)
    metrics = dict(expect.metrics or {})
    for name, value in sorted((expect.metrics or {}).items()):
        given = seen.metrics.get(name)
        if name in unknown:
            left.append(LeftOut(f"metrics.{name}", _SAME_LENGTH))
            del metrics[name]
        elif clock_read and isinstance(value, list) and isinstance(given, list) and value != given:
            left.append(LeftOut(f"metrics.{name}", _CLOCK))
            metrics[name] = given if len(given) == len(value) else value
    expect = msgspec.structs.replace(expect, metrics=metrics)
    reply = expect.local_reply
    untold = seen.local_reply is not None and not seen.local_reply.details
    if untold and isinstance(reply, ReplyExpect) and reply.details is not None:
        left.append(LeftOut("local_reply.details", "Envoy does not tell them once a response has begun"))
        reply = msgspec.structs.replace(reply, details=None)
    if withheld_body(seen.client) and isinstance(reply, ReplyExpect) and reply.body is not None:
        left.append(LeftOut("local_reply.body", "it is not sent to a HEAD request"))
        reply = msgspec.structs.replace(reply, body=None)
    return msgspec.structs.replace(expect, local_reply=reply), tuple(left)
