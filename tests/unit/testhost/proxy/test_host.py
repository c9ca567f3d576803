"""Time, timers, calls and contexts around a guest."""

import pytest

from modules.guests import HEAP, REQUEST, TEXT, calling, pausing, read_answers, start
from weft.testhost import HeaderMap, Host, World
from weft.testhost.abi import Status, encode_pairs

SECOND = 1_000_000_000


def called(host: Host) -> list[str]:
    return [line.removeprefix("[host->vm] ") for line in host.world.trace if line.startswith("[host->vm]")]


def ticking() -> bytes:
    return calling(
        ("proxy_set_tick_period_milliseconds", (400,)), also={}, during="proxy_on_vm_start"
    )  # on_tick is not needed: time goes on without


def test_a_timer_ticks_as_often_as_time_passes() -> None:
    host = start(ticking())
    host.advance(SECOND)
    assert host.next_due() == host.world.clock.now + 200_000_000
    host.advance(199_999_999)
    assert host.next_due() == host.world.clock.now + 1


def test_an_answer_lets_the_request_go_on() -> None:
    host = start(pausing())
    stream = host.stream()
    stream.request_headers(HeaderMap(REQUEST), end=True)
    assert stream.upstream.headers is None
    (call,) = host.world.calls
    assert (call.number, call.cluster, call.headers, call.timeout_ms) == (4, "auth", REQUEST, 1500)
    host.reply(call, ((":status", "200"), ("a", "b")), b"xyz", (("t", "1"),))
    assert called(host)[-1] == "proxy_on_http_call_response(1, 4, 3, 3, 1)"
    assert read_answers(host, 2) == [Status.OK, Status.OK]
    assert stream.upstream.headers == REQUEST


def test_a_call_that_takes_too_long_is_answered_with_504_as_in_envoy() -> None:
    host = start(pausing())
    host.stream().request_headers(HeaderMap(REQUEST), end=True)
    host.advance(1_499_999_999)
    assert len(host.world.pending) == 1
    host.advance(1)
    assert called(host)[-1] == "proxy_on_http_call_response(1, 4, 3, 24, 0)"
    assert host.world.pending == {}


def test_a_broken_call_has_no_headers_and_says_why() -> None:
    host = start(pausing())
    host.stream().request_headers(HeaderMap(REQUEST), end=True)
    host.fail(host.world.calls[0])
    assert "proxy_on_http_call_response(1, 4, 0, 0, 0)" in called(host)
    assert host.vm.memory.read_u32(68) == Status.BROKEN_CONNECTION
    assert host.vm.memory.read(HEAP, 5) == b"reset"


def test_the_context_of_a_stream_that_is_gone_cannot_be_chosen() -> None:
    host = start(pausing())
    stream = host.stream()
    stream.request_headers(HeaderMap(REQUEST), end=True)
    stream.abandon()
    host.reply(host.world.calls[0], ((":status", "200"),))
    assert read_answers(host, 1) == [Status.BAD_ARGUMENT]
    assert stream.upstream.headers is None


def test_the_trailers_of_a_call_stay_behind_as_they_do_in_envoy() -> None:
    pairs = encode_pairs(REQUEST)
    call = ("proxy_http_call", (TEXT, 1, TEXT + 1, len(pairs), 0, 0, TEXT + 1, len(pairs), 9, 64))
    host = start(calling(call, text=b"a" + pairs))
    assert [(made.headers, made.trailers) for made in host.world.calls] == [(REQUEST, ())]


def test_no_call_goes_to_a_cluster_that_is_not_there() -> None:
    host = start(pausing(cluster=b"none"), world=World(clusters=frozenset({"auth"})))
    host.stream().request_headers(HeaderMap(REQUEST), end=True)
    assert host.world.calls == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (b"request\0path", b"/a?b=c"),
        (b"request\0url_path", b"/a"),
        (b"request\0query", b"b=c"),
        (b"request\0headers\0:path", b"/a?b=c"),
        (b"plugin_root_id", b"r"),
        (b"source\0port", (7).to_bytes(8, "little")),
        (b"node\0id", b"n"),
        (b"connection\0mtls", b"\1"),
        (b"response\0code", None),
        (b"what", None),
    ],
)
def test_a_stream_knows_these_properties(path: bytes, value: bytes | None) -> None:
    module = calling(
        ("proxy_get_property", (TEXT, len(path), 64, 68)),
        during="proxy_on_request_headers",
        returns=0,
        text=path,
    )
    world = World(properties={"source.port": 7, "node": {"id": "n"}, "connection.mtls": True})
    host = start(module, world=world)
    host.stream().request_headers(HeaderMap(REQUEST), end=True)
    if value is None:
        assert read_answers(host, 1) == [Status.NOT_FOUND]
    else:
        assert read_answers(host, 1) == [Status.OK]
        assert host.vm.memory.read(HEAP, host.vm.memory.read_u32(68)) == value


def test_a_property_that_a_filter_sets_is_there_for_it() -> None:
    module = calling(
        ("proxy_set_property", (TEXT, 1, TEXT + 1, 3)),
        ("proxy_get_property", (TEXT, 1, 64, 68)),
        during="proxy_on_request_headers",
        returns=0,
        text=b"kval",
    )
    host = start(module)
    host.stream().request_headers(HeaderMap(REQUEST), end=True)
    assert read_answers(host, 2) == [Status.OK, Status.OK]
    assert host.vm.memory.read(HEAP, 3) == b"val"


def test_a_root_that_is_not_done_is_deleted_when_it_says_so() -> None:
    module = calling(("proxy_done", ()), during="proxy_on_tick", also={"proxy_on_done": 0}, returns=0)
    host = start(module)
    host.shut_down()
    assert 1 in host.vm.contexts
    host.tick()
    assert host.vm.contexts == {}
