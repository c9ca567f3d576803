"""The Python interface for tests of filters, on assembled modules."""

from datetime import timedelta
from pathlib import Path

import pytest

from modules.guests import TEXT, answering, calling, const, running
from modules.tiny import REFUSAL, tiny_filter
from weft.errors import NotFound, UsageError, WeftError
from weft.testhost import Code
from weft.testing import Filter, FilterCrashed, FilterRefused, Headers, LogLine, Message

TINY = tiny_filter()


def test_a_request_and_its_response_go_through_the_filter() -> None:
    with Filter.load(TINY, config="there") as adder:
        stream = adder.request("/shop?a=1", method="POST", headers={"Cookie": ["a=1", "b=2"]}, body="hi")
        assert stream.upstream == Message(
            Headers(
                [
                    (":method", "POST"), (":scheme", "http"), (":authority", "example.com"),
                    (":path", "/shop?a=1"), ("cookie", "a=1"), ("cookie", "b=2"), ("x-tiny", "there"),
                ]
            ),
            b"hi",
            ended=True,
        )  # fmt: skip
        before = stream.client
        assert before is None
        response = stream.respond(404, headers={"X-A": "1"}, body=b"no")
        assert (response.status, response.text, response.ended) == (404, "no", True)
        assert response.headers == {":status": "404", "x-a": "1", "x-tiny": "there"}
        assert stream.client == response
        assert adder.logs == [LogLine("info", "there", "")]
        assert adder.trace[-1] == "[host<-vm] proxy_on_response_headers return: 0"


def test_headers_are_found_in_any_case_and_all_of_them() -> None:
    headers = Headers([("a", "1"), ("b", "2"), ("a", "3")])
    assert (headers["A"], headers.all("A"), headers.get("c"), "B" in headers) == ("1", ["1", "3"], None, True)
    assert (list(headers), len(headers)) == (["a", "b"], 2)
    assert headers == Headers(headers.pairs)
    assert headers != Headers(headers.pairs[:2])
    assert len({headers, Headers(headers.pairs)}) == 1
    assert repr(headers) == "Headers([('a', '1'), ('b', '2'), ('a', '3')])"
    with pytest.raises(KeyError):
        headers["c"]


def test_what_a_test_says_wins_over_the_defaults() -> None:
    stream = Filter.load(TINY).request(headers=[(":authority", "shop"), (":path", "/x")], trailers={"t": "1"})
    assert stream.upstream is not None
    assert (stream.upstream.headers[":authority"], stream.upstream.path) == ("shop", "/x")
    assert stream.upstream.trailers == {"t": "1"}


def test_bodies_may_come_in_pieces() -> None:
    stream = Filter.load(TINY).request(body="a", end=False)
    stream.send("b")
    stream.send(b"c", end=True)
    assert stream.upstream is not None
    assert (stream.upstream.text, stream.upstream.ended) == ("abc", True)
    assert not stream.respond(body="x", end=False).ended
    assert not stream.send_response("y").ended
    assert stream.send_response("z", end=True).text == "xyz"


def test_a_trailer_ends_a_response() -> None:
    response = Filter.load(TINY).request().respond(body="x", trailers={"grpc-status": "0"})
    assert response.ended
    assert response.trailers == {"grpc-status": "0"}


def test_a_crash_is_raised_where_it_happened_and_only_once() -> None:
    crasher = Filter.load(TINY, config="#", name="p")
    stream = None
    with pytest.raises(FilterCrashed) as crashed:
        stream = crasher.request()
    assert stream is None
    assert str(crashed.value).startswith(
        "Function: proxy_on_request_headers failed: Uncaught RuntimeError: unreachable\n"
        "Proxy-Wasm plugin in-VM backtrace:\n  0:  0x"
    )
    assert crasher.failure == str(crashed.value)
    later = crasher.request()
    assert (later.client, later.upstream) == (Message(Headers([(":status", "503")]), ended=True), None)
    assert later.local_reply is not None
    assert later.local_reply.details == "wasm_fail_stream"
    crasher.close()


def test_a_filter_that_refuses_its_configuration_says_why() -> None:
    with pytest.raises(FilterRefused) as refused:
        Filter.load(TINY, config="!")
    assert refused.value.detail == f"error: {REFUSAL}"


@pytest.mark.parametrize(
    ("config", "told"),
    [("text", "text"), (b"bytes", "bytes"), ({"a": [1]}, '{"a": [1]}'), (5, "5"), (False, "false")],
)
def test_a_configuration_is_text_or_json(config: object, told: str) -> None:
    assert Filter.load(TINY, config=config).logs == [LogLine("info", told, "")]


def test_a_module_is_bytes_a_file_or_code(tmp_path: Path) -> None:
    path = tmp_path / "filter.wasm"
    path.write_bytes(TINY)
    for module in (TINY, path, str(path), Code.load(TINY)):
        Filter.load(module).request()
    Filter.load(path, cache=tmp_path / "cache")
    assert len(list((tmp_path / "cache").iterdir())) == 1
    with pytest.raises(NotFound, match=r"none\.wasm: no such file"):
        Filter.load("none.wasm")
    with pytest.raises(WeftError, match="Is a directory"):
        Filter.load(tmp_path)


def test_an_upstream_that_was_not_asked_cannot_answer() -> None:
    stream = Filter.load(answering(on_request_headers=1)).request()
    with pytest.raises(UsageError, match="the upstream cannot answer: the filter holds the request"):
        stream.respond()
    stream.disconnect()
    assert stream.reset
    crasher = Filter.load(TINY, config="#", fail_open=False)
    with pytest.raises(FilterCrashed):
        crasher.request()
    with pytest.raises(UsageError, match="the upstream cannot answer: the filter answered itself"):
        crasher.request().respond()


def test_an_upstream_answers_once_and_only_who_is_there() -> None:
    plain = Filter.load(answering(on_request_headers=0))
    stream = plain.request()
    stream.respond(end=False)
    with pytest.raises(UsageError, match="the upstream cannot answer: it has answered"):
        stream.respond()
    gone = plain.request()
    gone.disconnect()
    with pytest.raises(UsageError, match="the upstream cannot answer: the stream is over"):
        gone.respond()


def test_a_refusal_that_no_test_expected_shows_what_the_filter_said() -> None:
    with pytest.raises(FilterRefused) as refused:
        Filter.load(TINY, config="!")
    assert refused.value.__notes__ == [refused.value.detail]


def test_numbers_are_headers_as_they_are_written() -> None:
    given: dict[str, int | list[int | str]] = {"X-A": 5, "x-b": [1, "2"]}
    stream = Filter.load(answering(on_request_headers=0)).request(headers=given)
    assert stream.upstream is not None
    assert (stream.upstream.headers["x-a"], stream.upstream.headers.all("x-b")) == ("5", ["1", "2"])
    assert stream.respond(headers=[("x-c", 7)]).headers["x-c"] == "7"


def ticking(code: bytes = b"") -> bytes:
    period = ("proxy_set_tick_period_milliseconds", (100,))
    return calling(period, during="proxy_on_vm_start", also={"proxy_on_request_headers": 0}) + code


def test_time_passes_when_the_test_says_so() -> None:
    asleep = Filter.load(ticking())
    asleep.advance(0.25)
    asleep.advance(timedelta(milliseconds=100))
    asleep.tick()
    assert asleep.failure is None


PAIRS = b"\3\0\0\0" + b"".join(size.to_bytes(4, "little") for size in (7, 3, 5, 1, 10, 1))
PAIRS += b":method\0GET\0:path\0/\0:authority\0a\0"


def caller() -> Filter:
    """A filter that calls the cluster ``c`` for each request and waits."""
    call = ("proxy_http_call", (TEXT, 1, TEXT + 1, len(PAIRS), 0, 0, 0, 0, 1500, 64))
    module = calling(call, during="proxy_on_request_headers", text=b"c" + PAIRS, returns=1)
    return Filter.load(module, clusters=["c"])


def test_a_call_is_seen_and_answered() -> None:
    asking = caller()
    asking.request()
    asking.request()
    first, second = asking.calls
    assert (first.cluster, first.body, first.timeout) == ("c", b"", 1.5)
    assert first.headers == {":method": "GET", ":path": "/", ":authority": "a"}
    first.reply(201, headers={"a": "b"}, body="ok", trailers={"t": "1"})
    assert len(asking.calls) == 1
    second.fail()
    assert asking.calls == []


def test_a_call_times_out_by_itself_or_at_once() -> None:
    asking = caller()
    asking.request()
    asking.advance(1.4)
    assert len(asking.calls) == 1
    asking.advance(0.2)
    assert asking.calls == []
    asking.request()
    asking.calls[0].time_out()
    assert asking.calls == []


def test_a_crash_over_an_answer_is_raised_there() -> None:
    module = running(b"\0" + const(0), during="proxy_on_request_body")
    stream = Filter.load(module).request(end=False)
    with pytest.raises(FilterCrashed, match="proxy_on_request_body failed"):
        stream.send("x")
    assert stream.client is not None
    assert stream.client.status == 503


def test_metrics_and_shared_data_are_there_to_look_at() -> None:
    module = calling(
        ("proxy_define_metric", (0, TEXT, 1, 64)),
        ("proxy_set_shared_data", (TEXT, 1, TEXT + 1, 1, 0)),
        text=b"mv",
    )
    looked_at = Filter.load(module)
    assert (looked_at.metrics, looked_at.shared_data) == ({"m": 0}, {"m": b"v"})


def test_grpc_is_answered_like_http() -> None:
    asked = ("proxy_grpc_call", (TEXT, 1, TEXT + 1, 1, TEXT + 2, 1, 0, 0, TEXT, 3, 100, 64))
    stream = ("proxy_grpc_stream", (TEXT, 1, TEXT + 1, 1, TEXT + 2, 1, 0, 0, 64))
    heard = {f"proxy_on_grpc_{word}": 0 for word in ("receive", "close", "receive_initial_metadata")}
    filter_ = Filter.load(calling(asked, stream, asked, text=b"aSM", also=heard))
    call, chat, late = filter_.calls
    assert (call.cluster, call.service, call.method, call.messages) == ("a", "S", "M", [b"aSM"])
    assert (call.ended, chat.ended, chat.messages) == (True, False, [])
    call.message(b"yes")
    chat.message(b"1", metadata={"x": "1"})
    chat.message(b"22")
    chat.close(5, "no")
    late.time_out()
    told = [line for line in filter_.trace if line.startswith("[host->vm] proxy_on_grpc")]
    assert [line.removeprefix("[host->vm] proxy_on_grpc_") for line in told] == [
        "receive(1, 5, 3)", "receive_initial_metadata(1, 6, 3)", "receive(1, 6, 1)", "receive(1, 6, 2)",
        "close(1, 6, 5)", "close(1, 9, 14)",
    ]  # fmt: skip
    assert filter_.calls == []
