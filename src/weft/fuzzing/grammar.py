"""Which steps can follow which.

A request begins a stream and happens once; more of a body comes only while its message is open; a response
comes once; one to HEAD, and 204 and 304, have no body (RFC 9110 §6.4.1); nothing comes after the client went.
A message's length is its own business: a length that a header claims may be wrong (RFC 9113 §8.1.1). An
answer to a gRPC call has messages and no body. A connection begins once, and each side speaks until it ends.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from weft.scenario import Reply, Request, Response, Step

__all__ = ["sound"]

_BODILESS = {"204", "304"}
_FRAMING = {"content-length", "transfer-encoding"}
_Message = TypeVar("_Message", Request, Response, Reply)
_Answer = TypeVar("_Answer", Response, Reply)


@dataclass(slots=True)
class _Connection:
    down_open: bool = True
    up_open: bool = True


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
    streams: dict[str, _Stream | _Connection | None] = {}
    for step in steps:
        stream = streams.get(step.stream)
        if step.request is not None or step.connect:
            if step.stream not in streams:
                begun, streams[step.stream] = _begun(step)
                yield begun
        elif step.reply is not None:
            yield msgspec.structs.replace(step, reply=_answer(step.reply))
        elif step.tick is not None or step.advance is not None:
            yield step
        elif stream is not None and step.disconnect:
            streams[step.stream] = None
            yield step
        elif isinstance(stream, _Stream):
            yield from _of_stream(step, stream)
        elif stream is not None:
            yield from _of_connection(step, stream)


def _begun(step: Step) -> tuple[Step, _Stream | _Connection]:
    if step.request is None:
        return step, _Connection()
    request = _unframed(step.request)
    method = str(request.headers.get(":method", "GET"))
    return msgspec.structs.replace(step, request=request), _Stream(request.open, method == "HEAD")


def _of_connection(step: Step, connection: _Connection) -> Iterator[Step]:
    if step.downstream_data is not None and connection.down_open:
        connection.down_open = not step.downstream_data.end
        yield step
    elif step.upstream_data is not None and connection.up_open:
        connection.up_open = not (step.upstream_data.end or step.upstream_data.reset)
        yield step


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


def _bodied(message: _Answer, *, head: bool) -> _Answer:
    if head or str(message.status) in _BODILESS:
        return msgspec.structs.replace(message, body=None, chunks=None, trailers=None, open=False)
    return message


def _answer(reply: Reply) -> Reply:
    if not reply.is_grpc:
        return _bodied(_unframed(reply), head=False)
    message = None if reply.messages is not None else reply.message
    plain = msgspec.structs.replace(reply, status=200, message=message, body=None, chunks=None)
    if not reply.open:
        return plain
    return msgspec.structs.replace(plain, grpc_status=None, grpc_message=None, trailers=None)
