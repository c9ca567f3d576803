"""Which steps HTTP allows after which.

A request begins a stream and happens once; more of a body comes only while its message is open; a response
comes once; one to HEAD, and 204 and 304, have no body (RFC 9110 §6.4.1); nothing comes after the client went.
A message's length is its own business: a length that a header claims may be wrong (RFC 9113 §8.1.1).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from weft.scenario import Reply, Request, Response, Step

__all__ = ["sound"]

_BODILESS = {"204", "304"}
_FRAMING = {"content-length", "transfer-encoding"}
_Message = TypeVar("_Message", Request, Response, Reply)


@dataclass(slots=True)
class _Stream:
    request_open: bool
    head: bool
    responded: bool = False
    response_open: bool = False


def sound(steps: Iterable[Step]) -> tuple[Step, ...]:
    """The steps without those that cannot be, and without bodies that cannot be."""
    return tuple(_sound(steps))


def _sound(steps: Iterable[Step]) -> Iterator[Step]:
    streams: dict[str, _Stream | None] = {}
    for step in steps:
        if step.request is not None:
            if step.stream not in streams:
                request = _unframed(step.request)
                method = str(request.headers.get(":method", "GET"))
                streams[step.stream] = _Stream(request.open, method == "HEAD")
                yield msgspec.structs.replace(step, request=request)
        elif step.reply is not None:
            yield msgspec.structs.replace(step, reply=_bodied(_unframed(step.reply), head=False))
        elif step.tick is not None or step.advance is not None:
            yield step
        elif (stream := streams.get(step.stream)) is not None:
            if step.disconnect:
                streams[step.stream] = None
                yield step
            else:
                yield from _of_stream(step, stream)


def _of_stream(step: Step, stream: _Stream) -> Iterator[Step]:
    if step.request_body is not None and stream.request_open:
        stream.request_open = step.request_body.open
        yield step
    elif step.response is not None and not stream.responded:
        response = _bodied(_unframed(step.response), head=stream.head)
        stream.responded, stream.response_open = True, response.open
        yield msgspec.structs.replace(step, response=response)
    elif step.response_body is not None and stream.response_open:
        stream.response_open = step.response_body.open
        yield step


def _unframed(message: _Message) -> _Message:
    headers = {name: value for name, value in message.headers.items() if name.lower() not in _FRAMING}
    return msgspec.structs.replace(message, headers=headers)


def _bodied(message: Any, *, head: bool) -> Any:
    if head or str(message.status) in _BODILESS:
        return msgspec.structs.replace(message, body=None, chunks=None, trailers=None, open=False)
    return message
