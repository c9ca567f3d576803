"""What stands on the wires, in the log and in the statistics, as scenarios speak of it."""

from collections.abc import Callable
from email.utils import formatdate

import pytest

from weft.envoy import Record
from weft.scenario import ObservedCall, ObservedMessage, ObservedReply
from weft.stage.documents import DETAILS, PORT, RESTORED
from weft.stage.http2 import Pairs, Peer, Stream
from weft.stage.seeing import (
    clock_was_read,
    ever_ticked,
    is_grpc,
    is_stream,
    message_in,
    request_in,
    seen_call,
    seen_metrics,
    seen_reply,
    tick_count,
    tick_period,
)

LONG_AGO = "Mon, 21 Oct 2013 20:13:21 GMT"
OK = (":status", "200")


def now() -> str:
    return formatdate(usegmt=True)


def stream(
    *headers: tuple[str, str], body: bytes = b"", trailers: Pairs | None = None, ended: bool = True
) -> Stream:
    """One on which this came."""
    made = Stream(Peer(lambda: None), 1)
    made.take_headers(headers, end=False)
    if body:
        made.take_data(body, end=False)
    if trailers is not None:
        made.take_headers(trailers, end=False)
    made.ended = ended
    return made


def said(*messages: str) -> list[Record]:
    return [Record("trace", "wasm", message, "7") for message in messages]


def asked(status: int, grpc: int) -> list[Record]:
    return said(f"[vm->host] env.proxy_send_local_response({status}, 1, 2, 3, 4, 5, 6, {grpc})")


def test_nothing_came() -> None:
    silent = Stream(Peer(lambda: None), 1)
    for nothing in (None, silent):
        assert message_in(nothing) == request_in(nothing) == ObservedMessage()


def test_a_response_is_seen_without_what_envoy_adds() -> None:
    came = stream(OK, ("date", now()), (DETAILS, "x"), ("a", "1"), body=b"abc", trailers=(("t", "1"),))
    assert message_in(came) == ObservedMessage((OK, ("a", "1")), b"abc", (("t", "1"),), ended=True)


@pytest.mark.parametrize(
    ("saying", "dated", "seen"),
    [
        pytest.param(now, False, False, id="Envoy's"),
        pytest.param(now, True, True, id="the upstream's"),
        pytest.param(lambda: LONG_AGO, False, True, id="from another time"),
        pytest.param(lambda: "whenever", False, True, id="no date at all"),
    ],
)
def test_a_date_is_envoys_when_it_is_now_and_nobody_gave_one(
    saying: Callable[[], str], dated: bool, seen: bool
) -> None:
    date = saying()
    found = message_in(stream(OK, ("date", date)), dated=dated).headers
    assert found == ((OK, ("date", date)) if seen else (OK,))


def test_a_request_is_seen_without_what_envoy_adds() -> None:
    path, proto = (":path", "/"), ("x-forwarded-proto", "http")
    assert request_in(stream(path, proto, (PORT, "1"))).headers == (path, proto)
    assert request_in(stream(path, proto, (PORT, "1"), (RESTORED, "1"))).headers == (path,)


def test_an_answer_of_the_upstream_is_no_local_reply() -> None:
    assert seen_reply(stream(OK, (DETAILS, "via_upstream")), []) is None
    assert seen_reply(Stream(Peer(lambda: None), 1), []) is None


GRPC = (OK, ("grpc-status", "7"), ("grpc-message", "a%7E%FF"))


@pytest.mark.parametrize(
    ("came", "records", "reply"),
    [
        pytest.param(
            stream((":status", "403"), (DETAILS, "mine"), body=b"no"),
            asked(403, 4294967295),
            ObservedReply(403, b"no", "mine"),
            id="a text",
        ),
        pytest.param(
            stream((":status", "403"), (DETAILS, "mine")),
            asked(403, 16),
            ObservedReply(403, b"", "mine", 16),
            id="with a gRPC status nobody asked for",
        ),
        pytest.param(
            stream(*GRPC, (DETAILS, "mine")),
            asked(403, 17),
            ObservedReply(403, b"a~\xff", "mine"),
            id="to gRPC",
        ),
        pytest.param(
            stream((":status", "503"), (DETAILS, "wasm_fail_stream")),
            [],
            ObservedReply(503, b"", "wasm_fail_stream", 14),
            id="for a filter that failed",
        ),
        pytest.param(
            stream(*GRPC, (DETAILS, "wasm_fail_stream")),
            asked(403, 1),
            ObservedReply(503, b"a~\xff", "wasm_fail_stream", 14),
            id="to gRPC, for a filter that failed",
        ),
        pytest.param(
            stream((":status", "404"), (DETAILS, "route_not_found")),
            [],
            ObservedReply(404, b"", "route_not_found"),
            id="of Envoy",
        ),
        pytest.param(stream((":status", "400")), [], ObservedReply(400, b"", ""), id="past all filters"),
    ],
)
def test_a_local_reply(came: Stream, records: list[Record], reply: ObservedReply) -> None:
    assert seen_reply(came, records) == reply


def test_a_call_has_its_time_out_and_not_what_envoy_adds() -> None:
    headers = ((":path", "/"), (":scheme", "http"), ("a", "1"))
    added = (("x-envoy-internal", "true"), ("x-envoy-expected-rq-timeout-ms", "1500"))
    kept = ((":path", "/"), ("a", "1"))
    assert seen_call("auth", stream(*headers, *added, body=b"b")) == ObservedCall(
        "auth", kept, b"b", (), 1500
    )
    assert seen_call("auth", stream(*headers, trailers=(("t", "1"),))).trailers == (("t", "1"),)


OF_GRPC = ((":path", "/s.S/M"), (":authority", "a"), ("te", "trailers"), ("content-type", "application/grpc"))
TIMED = (*OF_GRPC, ("grpc-timeout", "1500m"), ("x-envoy-expected-rq-timeout-ms", "1500"))


@pytest.mark.parametrize(
    ("headers", "grpc", "streaming"),
    [
        pytest.param(TIMED, True, False, id="a call"),
        pytest.param(OF_GRPC, True, True, id="a stream"),
        pytest.param(OF_GRPC[:3], False, False, id="of no kind"),
        pytest.param((*OF_GRPC[:2], OF_GRPC[3]), False, False, id="without trailers"),
    ],
)
def test_envoys_grpc_is_known_by_its_headers(headers: Pairs, grpc: bool, streaming: bool) -> None:
    came = stream(*headers)
    assert (is_grpc(came), is_stream(came)) == (grpc, streaming)


def test_a_grpc_call_has_messages_and_the_metadata_it_was_given() -> None:
    came = stream(*TIMED, ("x-mine", "1"), body=b"\0\0\0\0\2hi\0\0\0\0\0\0\0\0\0\5hal", ended=False)
    came.broken = True
    assert seen_call("auth", came) == ObservedCall(
        "auth", (("x-mine", "1"),), b"", (), 1500, service="s.S", method="M",
        messages=(b"hi", b""), ended=False, reset=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("message", "read"),
    [
        ("[vm->host] env.proxy_get_current_time_nanoseconds(64)", True),
        ("[vm->host] wasi_snapshot_preview1.clock_time_get(0, 1, 64)", True),
        ("[vm->host] env.proxy_log(0, 1, 64)", False),
    ],
)
def test_whether_the_clock_was_read(message: str, read: bool) -> None:
    assert clock_was_read(said("x", message)) is read


def test_a_timer_runs_until_its_period_is_nothing() -> None:
    on, off = (f"[vm->host] env.proxy_set_tick_period_milliseconds({period})" for period in (100, 0))
    assert tick_period(said("x")) == 0
    assert tick_period(said(off, on)) == 100
    assert tick_period(said(on, off)) == 0


def test_ticks_are_counted_when_they_begin() -> None:
    begun, over = "[host->vm] proxy_on_tick(1)", "[host<-vm] proxy_on_tick return: void"
    assert tick_count(said(begun, over, "[host->vm] proxy_on_log(2)", begun)) == 2


def test_of_several_timers_nobody_knows_which_was_stopped() -> None:
    on, off = (f"[vm->host] env.proxy_set_tick_period_milliseconds({period})" for period in (100, 0))
    assert ever_ticked(said(on, off))
    assert not ever_ticked(said(off))


def test_histograms_of_a_chain_are_not_told_apart() -> None:
    found, unknown = seen_metrics({"one": "3", "time": "P0(1,2)"}, [], chained=True)
    assert (found, set(unknown)) == ({"one": 3}, {"time"})


def test_metrics_are_numbers_and_a_histogram_is_all_its_values() -> None:
    records = said(
        "[vm->host] env.proxy_define_metric(0, 1, 3, 64)",
        "[vm->host] env.proxy_define_metric(2, 1, 4, 64)",
        "[vm->host] env.proxy_define_metric(2, 1, 6, 64)",
        "[vm->host] env.proxy_record_metric(6, 5)",
        "[vm->host] env.proxy_record_metric(10, 8)",
        "[vm->host] env.proxy_record_metric(6, 7)",
    )
    found, unknown = seen_metrics({"one": "3", "time": "P0(1,2)", "längs": "P0(1,2)"}, records)
    assert found == {"one": 3, "time": [5, 7], "längs": [8]}
    assert not unknown


def test_histograms_whose_names_are_as_long_are_not_told_apart() -> None:
    found, unknown = seen_metrics({"aa": "No recorded values", "bb": "No recorded values"}, [])
    assert found == {}
    assert unknown == {"aa", "bb"}
