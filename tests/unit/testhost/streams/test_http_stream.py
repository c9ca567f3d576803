"""What a filter's answers do to a stream: Envoy's rules for one filter, told by guests that only answer.

0 continues; after headers 1 stops all; in bodies 1 buffers, 2 is watermark, 3 drops; in trailers 1 stops.
"""

import pytest

from modules.guests import TEXT, answering, calling, read_answers, start
from modules.wasm_encoder import proxy_module
from weft.testhost import HeaderMap, Host, HttpStream, Message
from weft.testhost.abi import Status, Stream

HEAD = ((":method", "POST"), (":path", "/"))
WHOLE = Message(HEAD, b"abc", None, ended=True)
UNAVAILABLE = 0xFFFFFFFF


def feed(host: Host, *chunks: bytes, trailers: bool = False) -> HttpStream:
    """A whole request."""
    stream = host.stream()
    stream.request_headers(HeaderMap(HEAD), end=not chunks and not trailers)
    for index, chunk in enumerate(chunks):
        stream.request_body(chunk, end=index == len(chunks) - 1 and not trailers)
    if trailers:
        stream.request_trailers(HeaderMap([("x-t", "1")]))
    return stream


def sizes(host: Host, callback: str) -> list[str]:
    return [line.split("(", 1)[1] for line in host.world.trace if line.startswith(f"[host->vm] {callback}(")]


@pytest.mark.parametrize(
    ("actions", "sent"),
    [
        pytest.param({"on_request_body": 0}, WHOLE, id="continue"),
        pytest.param({"on_request_body": 1}, Message(HEAD), id="buffer: headers went on, the body waits"),
        pytest.param({"on_request_headers": 1}, Message(), id="stop at the headers"),
        pytest.param({"on_request_headers": 2}, Message(), id="stop all and buffer"),
        pytest.param({"on_request_headers": 99}, Message(), id="a number that means nothing stops"),
        pytest.param({}, WHOLE, id="no callbacks"),
    ],
)
def test_what_goes_on(actions: dict[str, int], sent: Message) -> None:
    assert feed(start(answering(**actions)), b"a", b"bc").upstream == sent


@pytest.mark.parametrize(
    ("action", "seen", "resumed"),
    [
        pytest.param(1, ["2, 1, 0)", "2, 3, 1)"], b"abc", id="buffer shows all so far"),
        pytest.param(2, ["2, 1, 0)", "2, 2, 1)"], b"abc", id="watermark shows the new piece"),
        pytest.param(3, ["2, 1, 0)", "2, 2, 1)"], b"", id="no buffer drops"),
    ],
)
def test_a_stopped_body_and_what_is_left_of_it(action: int, seen: list[str], resumed: bytes) -> None:
    host = start(answering(on_request_body=action))
    stream = feed(host, b"a", b"bc")
    assert sizes(host, "proxy_on_request_body") == seen
    stream.resume(Stream.REQUEST)
    assert stream.upstream == Message(HEAD, resumed, None, ended=True)


def test_after_a_stop_at_the_headers_the_body_is_shown_as_one_piece() -> None:
    host = start(answering(on_request_headers=1, on_request_body=0, on_request_trailers=0))
    stream = feed(host, b"a", b"bc", trailers=True)
    assert sizes(host, "proxy_on_request_body") == []
    stream.resume(Stream.REQUEST)
    assert sizes(host, "proxy_on_request_body") == ["2, 3, 0)"]
    assert stream.upstream == Message(HEAD, b"abc", (("x-t", "1"),), ended=True)


def test_stopped_trailers_hold_what_was_buffered_and_are_not_shown_again() -> None:
    host = start(answering(on_request_body=1, on_request_trailers=1))
    stream = feed(host, b"ab", trailers=True)
    assert stream.upstream == Message(HEAD)
    stream.resume(Stream.REQUEST)
    assert stream.upstream == Message(HEAD, b"ab", (("x-t", "1"),), ended=True)
    assert sizes(host, "proxy_on_request_trailers") == ["2, 1)"]


def test_trailers_that_go_on_take_the_buffered_body_along() -> None:
    stream = feed(start(answering(on_request_body=1, on_request_trailers=0)), b"ab", trailers=True)
    assert stream.upstream == Message(HEAD, b"ab", (("x-t", "1"),), ended=True)


def test_a_body_can_be_changed_at_both_ends() -> None:
    module = calling(
        ("proxy_set_buffer_bytes", (0, 0, 2, TEXT, 1)),
        ("proxy_set_buffer_bytes", (0, 9, 0, TEXT + 1, 1)),
        ("proxy_set_buffer_bytes", (0, 1, 1, TEXT, 1)),
        during="proxy_on_request_body",
        returns=0,
        text=b"<>",
    )
    host = start(module)
    stream = feed(host, b"abcd")
    assert read_answers(host, 3) == [Status.OK, Status.OK, Status.BAD_ARGUMENT]
    assert bytes(stream.upstream.body) == b"<cd>"


def test_headers_are_out_of_reach_once_they_went_on() -> None:
    module = calling(
        ("proxy_add_header_map_value", (0, TEXT, 1, TEXT, 1)),
        during="proxy_on_request_body",
        returns=0,
        text=b"x",
    )
    host = start(module)
    feed(host, b"a")
    assert read_answers(host, 1) == [Status.BAD_ARGUMENT]


def test_a_local_response_passes_the_response_callbacks_and_ends_the_stream() -> None:
    module = calling(
        ("proxy_send_local_response", (403, 0, 0, TEXT, 4, 0, 0, UNAVAILABLE)),
        during="proxy_on_request_headers",
        returns=0,
        text=b"stop",
        also={"proxy_on_response_headers": 0, "proxy_on_response_body": 0, "proxy_on_done": 1},
    )
    host = start(module)
    stream = feed(host)
    assert stream.upstream == Message()
    headers = ((":status", "403"), ("content-length", "4"), ("content-type", "text/plain"))
    assert stream.client == Message(headers, b"stop", None, ended=True)
    calls = [line for line in host.world.trace if line.startswith("[host->vm]")]
    assert calls[-3:] == [
        "[host->vm] proxy_on_response_headers(2, 3, 0)",
        "[host->vm] proxy_on_response_body(2, 4, 1)",
        "[host->vm] proxy_on_done(2)",
    ]


def test_a_grpc_request_gets_its_status_in_headers_alone() -> None:
    module = calling(
        ("proxy_send_local_response", (403, 0, 0, TEXT, 4, 0, 0, UNAVAILABLE)),
        during="proxy_on_request_headers",
        returns=0,
        text=b"a\nb%",
    )
    stream = start(module).stream()
    stream.request_headers(HeaderMap([*HEAD, ("content-type", "application/grpc")]), end=True)
    assert stream.client.headers == (
        (":status", "200"),
        ("content-type", "application/grpc"),
        ("grpc-status", "7"),
        ("grpc-message", "a%0Ab%25"),
    )


def test_a_local_response_during_the_response_headers_goes_straight_to_the_client() -> None:
    module = calling(
        ("proxy_send_local_response", (500, 0, 0, 0, 0, 0, 0, UNAVAILABLE)),
        during="proxy_on_response_headers",
        returns=0,
    )
    host = start(module)
    stream = feed(host)
    stream.response_headers(HeaderMap([(":status", "200")]), end=True)
    assert stream.client == Message(((":status", "500"),), b"", None, ended=True)
    assert len(sizes(host, "proxy_on_response_headers")) == 1


def test_a_local_response_after_the_response_began_resets_the_stream() -> None:
    module = calling(
        ("proxy_send_local_response", (500, 0, 0, 0, 0, 0, 0, UNAVAILABLE)),
        during="proxy_on_response_body",
        returns=0,
    )
    stream = feed(start(module))
    stream.response_headers(HeaderMap([(":status", "200")]), end=False)
    stream.response_body(b"x", end=True)
    assert stream.reset
    assert stream.client.headers == ((":status", "200"),)


def test_a_stream_is_logged_done_and_deleted_in_envoys_order() -> None:
    host = start(_lifecycle())
    stream = feed(host)
    stream.response_headers(HeaderMap([(":status", "200")]), end=True)
    calls = [line.removeprefix("[host->vm] ") for line in host.world.trace if line.startswith("[host->vm]")]
    assert calls == ["proxy_on_log(2)", "proxy_on_done(2)", "proxy_on_delete(2)"]
    assert host.vm.contexts.keys() == {1}


def _lifecycle() -> bytes:
    exports = {
        "proxy_on_log": "i32 -> void",
        "proxy_on_done": "i32 -> i32",
        "proxy_on_delete": "i32 -> void",
    }
    return proxy_module(exports=exports)
