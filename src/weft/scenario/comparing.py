"""Compare what two proxies showed of the same steps, whether or not anything was expected."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from weft.scenario.judging import Mismatch
from weft.scenario.observed import Observed, ObservedCall, ObservedMessage, Pairs

__all__ = ["compare", "withheld_body"]

_NOTHING = "(nothing)"


def compare(here: Observed, there: Observed, *, counts_only: bool = False) -> list[Mismatch]:
    """Everything that differs: ``expected`` is what was seen here, ``got`` what was seen there.

    The order of headers of different names is a proxy's own business, and so are the words of a refusal and
    the backtrace of a crash.
    ``counts_only``: histograms are compared by how many values they were given.
    """
    return list(_compare(here, there, counts_only=counts_only))


def _compare(here: Observed, there: Observed, *, counts_only: bool) -> Iterator[Mismatch]:
    yield from _differs("refused", here.refused is not None, there.refused is not None)
    yield from _differs("crash", _first(here.failure), _first(there.failure))
    yield from _message("upstream", here.upstream, there.upstream)
    yield from _message("client", here.client, there.client)
    # A local reply that a filter holds is seen by nobody there.
    if here.client.headers is not None or there.client.headers is not None:
        yield from _replies(here, there)
    yield from _differs("reset", here.reset, there.reset)
    yield from _calls(here.calls, there.calls)
    yield from _differs("logs", _lines(here), _lines(there))
    yield from _metrics(here.metrics, there.metrics, counts_only=counts_only)


def _message(what: str, here: ObservedMessage, there: ObservedMessage) -> Iterator[Mismatch]:
    yield from _differs(f"{what}.sent", here.headers is not None, there.headers is not None)
    yield from _headers(f"{what}.headers", here.headers, there.headers)
    yield from _differs(f"{what}.body", here.body, there.body)
    yield from _headers(f"{what}.trailers", here.trailers, there.trailers)
    yield from _differs(f"{what}.ended", here.ended, there.ended)


def _headers(what: str, here: Pairs | None, there: Pairs | None) -> Iterator[Mismatch]:
    mine, yours = _by_name(here), _by_name(there)
    for name in sorted({*mine, *yours}):
        yield from _differs(f"{what}.{name}", mine.get(name), yours.get(name))


def _by_name(pairs: Pairs | None) -> Mapping[str, str]:
    values: defaultdict[str, list[str]] = defaultdict(list)
    for name, value in pairs or ():
        values[name].append(value)
    return {name: ", ".join(found) for name, found in values.items()}


def _replies(here: Observed, there: Observed) -> Iterator[Mismatch]:
    mine, yours = here.local_reply, there.local_reply
    if mine is None or yours is None:
        yield from _differs("local_reply", mine is not None, yours is not None)
        return
    yield from _differs("local_reply.status", mine.status, yours.status)
    if not withheld_body(there.client):
        yield from _differs("local_reply.body", mine.body, yours.body)
    if yours.details:
        yield from _differs("local_reply.details", mine.details, yours.details)
    yield from _differs("local_reply.grpc_status", mine.grpc_status, yours.grpc_status)


def withheld_body(response: ObservedMessage) -> bool:
    """Whether a response has a body that is not sent, as to a HEAD request."""
    return not response.body and dict(response.headers or ()).get("content-length", "0") != "0"


def _calls(here: Sequence[ObservedCall], there: Sequence[ObservedCall]) -> Iterator[Mismatch]:
    if len(here) != len(there):  # Envoy may never have sent what was cancelled at once
        here, there = ([call for call in calls if not call.reset] for calls in (here, there))
    if len(here) != len(there):
        yield from _differs("calls", [call.cluster for call in here], [call.cluster for call in there])
        return
    for number, (mine, yours) in enumerate(zip(here, there, strict=True)):
        what = f"calls[{number}]"
        yield from _differs(f"{what}.cluster", mine.cluster, yours.cluster)
        yield from _headers(f"{what}.headers", mine.headers, yours.headers)
        yield from _differs(f"{what}.body", mine.body, yours.body)
        yield from _headers(f"{what}.trailers", mine.trailers, yours.trailers)
        for name in ("service", "method", "ended", "reset"):
            yield from _differs(f"{what}.{name}", getattr(mine, name), getattr(yours, name))
        yield from _differs(f"{what}.messages", _joined(mine.messages), _joined(yours.messages))
        yield from _differs(f"{what}.timeout", mine.timeout_ms, yours.timeout_ms)


def _joined(messages: Sequence[bytes]) -> str:
    return "; ".join(_shown(message) for message in messages)


def _first(failure: str | None) -> str | None:
    return None if failure is None else failure.split("\n", maxsplit=1)[0]


def _lines(seen: Observed) -> str:
    """What is no text is not told apart: a log is read as text."""
    said = "\n".join(f"{line.level}: {line.message.rstrip()}" for line in seen.logs)
    return said.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _metrics(
    here: Mapping[str, int | list[int]], there: Mapping[str, int | list[int]], *, counts_only: bool
) -> Iterator[Mismatch]:
    for name in sorted({*here, *there}):
        mine, yours = here.get(name), there.get(name)
        if counts_only and isinstance(mine, list) and isinstance(yours, list):
            mine, yours = len(mine), len(yours)
        yield from _differs(f"metrics.{name}", mine, yours)


def _differs(what: str, here: object, there: object) -> Iterator[Mismatch]:
    if here != there:
        yield Mismatch(what, _shown(here), _shown(there))


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", "backslashreplace") or _NOTHING
    return _NOTHING if value in (None, "", []) else str(value)
