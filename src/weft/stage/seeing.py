"""From what stands on the wires, in the log and in the statistics to what a scenario speaks of.

What Envoy itself adds to a message, and a filter never sees, is taken off again.
"""

import re
import struct
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from urllib.parse import unquote_to_bytes

from weft.envoy import Record
from weft.scenario import ObservedCall, ObservedMessage, ObservedReply
from weft.stage.documents import DETAILS, PORT, RESTORED
from weft.stage.ear import local_reply
from weft.stage.http2 import Stream

__all__ = [
    "clock_was_read",
    "ever_ticked",
    "is_grpc",
    "is_stream",
    "message_in",
    "request_in",
    "seen_call",
    "seen_metrics",
    "seen_reply",
    "tick_count",
    "tick_period",
]

_VIA_UPSTREAM = "via_upstream"
_FAILED, _UNAVAILABLE = "wasm_fail_stream", 14
_LAST_CODE = 16
_SECONDS_AGO = 120
_TIMEOUT = "x-envoy-expected-rq-timeout-ms"
_OF_ENVOY = {"x-envoy-internal", _TIMEOUT, ":scheme"}
_GRPC_TIMEOUT = "grpc-timeout"
_OF_GRPC = {":method", ":path", ":authority", "te", _GRPC_TIMEOUT, "content-type"}
"""What a gRPC call has beside the metadata that it was given."""
_FRAME = struct.Struct(">BI")  # compressed or not, length
_CLOCK = re.compile(r"\[vm->host\] (env\.proxy_get_current_time_nanoseconds|\w+\.clock_time_get)\(")
_TIMER = re.compile(r"\[vm->host\] env\.proxy_set_tick_period_milliseconds\((\d+)\)")
_TICKED = "[host->vm] proxy_on_tick("
_DEFINED = re.compile(r"\[vm->host\] env\.proxy_define_metric\(2, \d+, (\d+), \d+\)")
_RECORDED = re.compile(r"\[vm->host\] env\.proxy_record_metric\((\d+), (\d+)\)")
_HISTOGRAM, _STEP = 2, 4


def message_in(stream: Stream | None, *, dated: bool = False) -> ObservedMessage:
    """What came to the client; ``dated``: the upstream itself said when."""
    if stream is None or stream.headers is None:
        return ObservedMessage()
    kept = tuple(
        (name, value)
        for name, value in stream.headers
        if name != DETAILS and (dated or name != "date" or not _is_now(value))
    )
    return ObservedMessage(kept, bytes(stream.body), stream.trailers, stream.ended)


def request_in(stream: Stream | None) -> ObservedMessage:
    """What came to the upstream."""
    if stream is None or stream.headers is None:
        return ObservedMessage()
    added = {PORT, RESTORED, *(["x-forwarded-proto"] if RESTORED in dict(stream.headers) else [])}
    kept = tuple(pair for pair in stream.headers if pair[0] not in added)
    return ObservedMessage(kept, bytes(stream.body), stream.trailers, stream.ended)


def seen_reply(stream: Stream, records: Sequence[Record]) -> ObservedReply | None:
    """The local reply that a response is, if it is one; one that passed no filter has no details."""
    values = dict(stream.headers or ())
    details = values.get(DETAILS, "")
    if stream.headers is None or details == _VIA_UPSTREAM:
        return None
    asked = local_reply(records)
    status, grpc = int(values.get(":status", "0")), None
    if details == _FAILED:
        grpc = _UNAVAILABLE
    elif asked is not None:
        grpc = asked[1] if asked[1] <= _LAST_CODE else None
    if "grpc-status" in values:
        status = asked[0] if asked is not None and details != _FAILED else _status_of_failure(details, status)
        return ObservedReply(status, unquote_to_bytes(values.get("grpc-message", "")), details, grpc)
    return ObservedReply(status, bytes(stream.body), details, grpc)


def _status_of_failure(details: str, status: int) -> int:
    return 503 if details == _FAILED else status


def seen_call(name: str, stream: Stream) -> ObservedCall:
    """A call of the filter."""
    headers = stream.headers or ()
    timeout = int(dict(headers).get(_TIMEOUT, "0"))
    kept = tuple(pair for pair in headers if pair[0] not in _OF_ENVOY)
    if not is_grpc(stream):
        return ObservedCall(name, kept, bytes(stream.body), stream.trailers or (), timeout)
    _, service, method = dict(headers)[":path"].split("/", 2)
    return ObservedCall(
        name,
        tuple(pair for pair in kept if pair[0] not in _OF_GRPC),
        b"",
        (),
        timeout,
        service=service,
        method=method,
        messages=_messages(bytes(stream.body)),
        ended=stream.ended,
        reset=stream.broken,
    )


def is_grpc(stream: Stream) -> bool:
    """Whether a call is Envoy's gRPC."""
    headers = dict(stream.headers or ())
    return headers.get("content-type") == "application/grpc" and headers.get("te") == "trailers"


def is_stream(stream: Stream) -> bool:
    """Whether it is a stream of gRPC; a unary call has a timeout, be it 0."""
    return is_grpc(stream) and _GRPC_TIMEOUT not in dict(stream.headers or ())


def _messages(body: bytes) -> tuple[bytes, ...]:
    """What came whole: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md."""
    found = []
    while len(body) >= _FRAME.size:
        _, length = _FRAME.unpack_from(body)
        message, body = body[_FRAME.size : _FRAME.size + length], body[_FRAME.size + length :]
        if len(message) == length:
            found.append(message)
    return tuple(found)


def clock_was_read(records: Sequence[Record]) -> bool:
    """Whether the filter asked what time it is."""
    return any(_CLOCK.match(record.message) for record in records)


def tick_period(records: Sequence[Record]) -> int:
    """Of the filter's timer, in milliseconds; 0 where none runs."""
    periods = [int(found[1]) for record in records if (found := _TIMER.match(record.message))]
    return periods[-1] if periods else 0


def tick_count(records: Sequence[Record]) -> int:
    """How often it ticked."""
    return sum(record.message.startswith(_TICKED) for record in records)


def ever_ticked(records: Sequence[Record]) -> bool:
    """Whether any of several filters set a timer, which nobody knows to be stopped."""
    return any(found[1] != "0" for record in records if (found := _TIMER.match(record.message)))


def seen_metrics(
    stats: Mapping[str, str], records: Sequence[Record], *, chained: bool = False
) -> tuple[dict[str, int | list[int]], frozenset[str]]:
    """Name → value, or all values; and the histograms whose values cannot be told apart.

    Envoy keeps histograms as buckets, so their values are read off the log: the calls there name metrics by
    number, and the length of a histogram's name says which has which; but not whose numbers they are where
    several filters are ``chained``.
    """
    found: dict[str, int | list[int]] = {
        name: int(value) for name, value in stats.items() if value.isdecimal()
    }
    histograms = [name for name, value in stats.items() if not value.isdecimal()]
    lengths = Counter(len(name.encode()) for name in histograms)
    unknown = frozenset(name for name in histograms if chained or lengths[len(name.encode())] > 1)
    defined = [int(match[1]) for record in records if (match := _DEFINED.match(record.message))]
    given = [match for record in records if (match := _RECORDED.match(record.message))]
    for name in histograms:
        if name not in unknown:
            numbers = {
                _HISTOGRAM + _STEP * at for at, size in enumerate(defined, 1) if size == len(name.encode())
            }
            found[name] = [int(match[2]) for match in given if int(match[1]) in numbers]
    return found, unknown


def _is_now(value: str) -> bool:
    try:
        return abs(parsedate_to_datetime(value).timestamp() - time.time()) < _SECONDS_AGO
    except ValueError:
        return False
