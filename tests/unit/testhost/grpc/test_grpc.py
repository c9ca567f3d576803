"""gRPC of a guest: whom it calls, what it is told, and what it can still name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.guests import TEXT, calling, read_answers, start
from weft.testhost import Callout, GrpcReply, Host, World
from weft.testhost.abi import Status
from weft.testhost.engine import Trapped
from weft.testhost.grpc import named_cluster

SERVICE = b"\n\5\n\3abc"
TEXTS = SERVICE + b"Ehi"
ECHO, HI = TEXT + len(SERVICE), TEXT + len(SERVICE) + 1
CALL = ("proxy_grpc_call", (TEXT, 7, ECHO, 1, ECHO, 1, 0, 0, HI, 2, 100, 64))
STREAM = ("proxy_grpc_stream", (TEXT, 7, ECHO, 1, ECHO, 1, 0, 0, 64))
HEARD = (
    "proxy_on_grpc_receive",
    "proxy_on_grpc_close",
    "proxy_on_grpc_receive_initial_metadata",
    "proxy_on_grpc_receive_trailing_metadata",
)


def guest(*calls: tuple[str, tuple[int, ...]], world: World | None = None) -> Host:
    """A host whose guest makes these calls at its start."""
    return start(calling(*calls, text=TEXTS, also=dict.fromkeys(HEARD, 0)), world=world)


def told(host: Host) -> list[str]:
    """What the guest was told of gRPC, without the root's number."""
    start = "[host->vm] proxy_on_grpc_"
    lines = [line.removeprefix(start) for line in host.world.trace if line.startswith(start)]
    return [line.replace("(1, ", "(").replace("receive_", "") for line in lines]


def the_call(host: Host) -> Callout:
    (call,) = host.world.calls
    return call


def test_a_call_says_whom_it_asks_and_what() -> None:
    call = the_call(guest(CALL))
    assert (call.kind, call.number, call.cluster, call.service, call.method) == ("grpc", 5, "abc", "E", "E")
    assert (call.sent, call.timeout_ms, call.headers) == ([b"hi"], 100, ())
    assert call.ended_at is not None
    stream = the_call(guest(STREAM))
    assert (stream.kind, stream.number, stream.sent, stream.ended_at) == ("grpc-stream", 6, [], None)
    assert stream.due is None


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        pytest.param([GrpcReply(messages=(b"abc",))], ["receive(5, 3)"], id="a message"),
        pytest.param([GrpcReply(messages=(b"a", b"bc"))], ["receive(5, 2)"], id="the last counts"),
        pytest.param([GrpcReply()], ["close(5, 13)"], id="no message"),
        pytest.param([GrpcReply(messages=(b"a",), status=7)], ["close(5, 7)"], id="a status"),
        pytest.param([GrpcReply(http_status=404)], ["close(5, 12)"], id="HTTP"),
        pytest.param([GrpcReply(messages=(b"a",), status=None)], [], id="still open"),
        pytest.param(
            [GrpcReply(messages=(b"a",), status=None), GrpcReply()], ["receive(5, 1)"], id="ended later"
        ),
        pytest.param([GrpcReply(status=1), GrpcReply(status=2)], ["close(5, 1)"], id="over is over"),
    ],
)
def test_a_unary_call_hears_of_its_end(replies: list[GrpcReply], expected: list[str]) -> None:
    host = guest(CALL)
    for reply in replies:
        host.grpc_answer(the_call(host), reply)
    assert told(host) == expected


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        pytest.param(
            [GrpcReply(headers=(("a", "1"),), messages=(b"", b"xy"), trailers=(("t", "1"),), message="why")],
            [
                "initial_metadata(6, 3)", "receive(6, 0)", "receive(6, 2)", "trailing_metadata(6, 3)",
                "close(6, 0)",
            ],
            id="all at once",
        ),
        pytest.param(
            [GrpcReply(status=None), GrpcReply(messages=(b"x",), status=None), GrpcReply()],
            ["initial_metadata(6, 2)", "receive(6, 1)", "trailing_metadata(6, 1)", "close(6, 0)"],
            id="one after the other",
        ),
        pytest.param(
            [GrpcReply(status=5, message="m")],
            ["initial_metadata(6, 0)", "trailing_metadata(6, 4)", "close(6, 5)"],
            id="an end and nothing else",
        ),
        pytest.param(
            [GrpcReply(http_status=503)],
            ["initial_metadata(6, 0)", "trailing_metadata(6, 0)", "close(6, 14)"],
            id="HTTP",
        ),
    ],
)  # fmt: skip
def test_a_stream_hears_everything(replies: list[GrpcReply], expected: list[str]) -> None:
    host = guest(STREAM)
    for reply in replies:
        host.grpc_answer(the_call(host), reply)
    assert told(host) == expected


def test_a_call_that_takes_too_long_is_unavailable() -> None:
    host = guest(CALL)
    host.advance(100_000_000)
    assert told(host) == ["close(5, 14)"]
    assert the_call(host).reset
    assert host.world.pending == host.world.held == {}


def test_a_call_that_takes_too_long_in_its_answer_is_an_internal_error() -> None:
    host = guest(CALL)
    host.grpc_answer(the_call(host), GrpcReply(messages=(b"a",), status=None))
    host.time_out(the_call(host))
    assert told(host) == ["close(5, 13)"]


def test_what_breaks_off_began() -> None:
    host = guest(STREAM)
    host.fail(the_call(host))
    assert told(host) == ["initial_metadata(6, 2)", "trailing_metadata(6, 0)", "close(6, 13)"]


@pytest.mark.parametrize(
    ("after", "answers"),
    [
        ([("proxy_grpc_send", (6, HI, 2, 0)), ("proxy_grpc_close", (6,))], [Status.OK, Status.OK]),
        ([("proxy_grpc_close", (6,)), ("proxy_grpc_send", (6, HI, 2, 0))], [Status.OK, Status.OK]),
        ([("proxy_grpc_cancel", (6,)), ("proxy_grpc_send", (6, HI, 2, 0))], [Status.OK, Status.NOT_FOUND]),
    ],
    ids=["sent, then closed", "closed, then sent", "cancelled"],
)
def test_a_stream_can_be_named_until_it_is_closed(
    after: list[tuple[str, tuple[int, ...]]], answers: list[Status]
) -> None:
    host = guest(STREAM, *after)
    assert read_answers(host, 3)[1:] == answers
    sent_first = after[0][0] == "proxy_grpc_send"
    assert the_call(host).sent == ([b"hi"] if sent_first else [])


def test_a_stream_that_the_server_ended_is_held_until_it_is_closed() -> None:
    host = guest(STREAM)
    host.grpc_answer(the_call(host), GrpcReply())
    assert (list(host.world.pending), list(host.world.held)) == ([], [6])
    host = guest(STREAM, ("proxy_grpc_close", (6,)))
    host.grpc_answer(the_call(host), GrpcReply())
    assert host.world.held == {}


def test_without_the_cluster_the_guest_hears_twice_that_it_failed() -> None:
    host = guest(CALL, STREAM, world=World(clusters=frozenset()))
    assert read_answers(host, 2) == [Status.INTERNAL_FAILURE] * 2
    assert told(host) == ["close(5, 14)", "close(6, 14)"]
    assert host.world.calls == []


def test_a_stream_that_ended_is_told_how_long_the_server_took() -> None:
    host = guest(STREAM, ("proxy_grpc_send", (6, HI, 2, 1)))
    host.advance(3_000_000)
    host.grpc_answer(the_call(host), GrpcReply(status=None))
    assert told(host) == ["initial_metadata(6, 3)"]


@pytest.mark.parametrize(
    ("service", "cluster"),
    [
        pytest.param(SERVICE, "abc", id="a cluster"),
        pytest.param(b"\x1a\2\x08\x05" + SERVICE, "abc", id="a timeout before it"),
        pytest.param(b"\n\2\n\0", "", id="an empty name"),
        pytest.param(b"\n\0", "", id="no name"),
        pytest.param(b"\x12\3\n\1b" + SERVICE, "abc", id="the last target counts"),
        pytest.param(b"abc", None, id="a text"),
        pytest.param(b"\n\6\n\3abc", None, id="a length too long"),
        pytest.param(b"\n\3\n\1\xff", None, id="a name that is no UTF-8"),
        pytest.param(b"\x0b", None, id="a group"),
        pytest.param(b"\x80" * 11, None, id="a number without an end"),
    ],
)
def test_the_cluster_is_read_from_the_service(service: bytes, cluster: str | None) -> None:
    assert named_cluster(service) == cluster


@pytest.mark.parametrize(
    ("service", "words"),
    [
        pytest.param(b"", "a gRPC service that names no target kills Envoy", id="nothing"),
        pytest.param(
            b"authserve", "a gRPC service that names no target kills Envoy", id="a text by accident"
        ),
        pytest.param(
            b"\x12\3\n\1a", "of gRPC services only those of envoy_grpc can be played", id="Google's client"
        ),
    ],
)
def test_what_cannot_be_played_stops_the_guest(service: bytes, words: str) -> None:
    with pytest.raises(Trapped, match=words):
        named_cluster(service)


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(service: bytes) -> None:
    try:
        named = named_cluster(service)
    except Trapped:
        return
    assert named is None or named.encode() in service
