"""gRPC calls and streams of a filter are the same on the test host and on a real Envoy.

The filter does what a request says and logs all that comes back, with the words of each status.
"""

from pathlib import Path

import pytest

from modules.chains import told
from modules.cpp import STRICT, compile_cpp, source
from weft.scenario import Played
from weft.workflows.testing.on_both import compared
from worlds.staging import hosted, problems, staged

pytestmark = pytest.mark.real("envoy", "cpp")


def asking(do: str, *, headers: str = "", expect: str = "") -> str:
    """A request that makes the filter do something."""
    judged = f", expect: {{{expect}}}" if expect else ""
    named = headers if "x-cluster" in headers else f"x-cluster: a, {headers}"
    return f"{{request: {{headers: {{x-do: {do}, x-message: hi, {named}}}}}{judged}}}"


def replying(reply: str, *lines: str) -> str:
    """An answer, and what the filter logs then."""
    logged = ", ".join(f"'{line}'" for line in lines)
    return f"{{reply: {{{reply}}}, expect: {{logs: [{logged}]}}}}"


CALL, STREAM, SHORT = asking("call"), asking("stream send"), asking("call", headers="x-timeout: 100")
SAID = (
    "{cluster: a, service: demo.Echo, method: Say, message: hi, headers: {x-mine: 'yes', te: {absent: true}},"
    " timeout: 1000, ended: true, reset: false}"
)
CHAT = "service: demo.Echo, method: Chat, headers: {x-mine: 'yes'}, timeout: 0"
CODES = {400: 13, 401: 16, 403: 7, 404: 12, 418: 2, 429: 14, 500: 2, 502: 14, 503: 14, 504: 14}

UNARY = {
    "a message": [asking("call", expect=f"calls: [{SAID}]"), replying("message: yo", "5 message 2 yo")],
    "bytes that are no text": [
        asking("call", headers="x-timeout: 123456789", expect="calls: [{timeout: 123456789}]"),
        replying("cluster: a, headers: {x-i: 1}, message: {base64: AGE=}, trailers: {t: 1}"),
    ],
    "a timeout that is no number": [asking("call", headers="x-timeout: soon", expect=f"calls: [{SAID}]")],
    "the last of two messages": [CALL, replying("messages: [one, two]", "5 message 3 two")],
    "a status": [
        CALL,
        replying("grpc_status: 7, grpc_message: no way", "5 close 7 7 no way{via_upstream}"),
    ],
    "a status after a message": [
        CALL,
        replying("message: yo, grpc_status: 9", "5 close 9 9 via_upstream"),
    ],
    "words that are escaped": [
        CALL,
        replying("grpc_status: 3, grpc_message: '100% ñ'", "5 close 3 3 100%25 %C3%B1{via_upstream}"),
    ],
    "no message": [CALL, replying("", "5 close 13 13 ")],
    **{
        f"HTTP {status}": [CALL, replying(f"status: {status}", f"5 close {code} {code} via_upstream")]
        for status, code in CODES.items()
    },
    "broken off": [
        CALL,
        replying("failed: true", "5 close 13 13 upstream_reset_after_response_started{remote_reset}"),
    ],
    "a timeout": [
        SHORT,
        replying("timeout: true", "5 close 14 14 upstream request timeout{response_timeout}"),
        "{expect: {calls: []}}",
    ],
    "a timeout after a message": [
        SHORT,
        "{reply: {message: yo, open: true}}",
        replying("timeout: true", "5 close 13 13 response_timeout"),
    ],
    "a timeout because time passes": [SHORT, "{advance: 300ms, expect: {quiet: warn}}"],
    "a call that is closed": [asking("call close close send", expect="calls: [{ended: true, reset: true}]")],
    "a call that is cancelled": [asking("call cancel cancel close")],
    "a call that is over": [
        CALL,
        "{reply: {message: yo}}",
        asking("close cancel", expect="logs: [close NotFound, cancel NotFound]"),
    ],
    "a cluster by its name alone": [
        asking("call", headers="x-cluster: '', x-service: a", expect=f"calls: [{SAID}]"),
        replying("message: yo", "5 message 2 yo"),
    ],
    "several at a time": [
        asking("call call stream"), *(replying(f"message: {word}") for word in ("one", "two", "three")),
    ],
}  # fmt: skip

STREAMS = {
    "messages": [
        asking("stream send last", expect=f"calls: [{{{CHAT}, messages: [hi, hi], ended: true}}]"),
        "{reply: {headers: {x-i: 1}, open: true}}",
        replying("message: yo, open: true", "6 message 2 yo"),
        replying("messages: ['', two], open: true", "6 message 0 ", "6 message 3 two"),
        replying("trailers: {x-t: 1}", "6 trailing 2 grpc-status=0 x-t=1", "6 close 0 0 via_upstream"),
    ],
    "all at once": [
        STREAM,
        replying(
            "headers: {x-i: 1}, messages: [yo], grpc_status: 3, grpc_message: m",
            "6 initial 3 :status=200 content-type=application/grpc x-i=1", "6 close 3 3 m{via_upstream}",
        ),
    ],
    "an end and nothing else": [
        STREAM,
        replying(
            "grpc_status: 3, grpc_message: m, trailers: {t: 1}",
            "6 initial 0",
            "6 trailing 5 :status=200 content-type=application/grpc grpc-status=3 grpc-message=m t=1",
            "6 close 3 3 m{via_upstream}",
        ),
    ],
    "an end after the beginning": [
        STREAM, "{reply: {open: true}}", replying("", "6 trailing 1 grpc-status=0"),
    ],
    "HTTP 503": [STREAM, replying("status: 503", "6 initial 0", "6 trailing 0")],
    "broken off": [STREAM, replying("failed: true", "6 trailing 0")],
    "broken off later": [
        STREAM, "{reply: {message: a, open: true}}", replying("failed: true", "6 trailing 0"),
    ],
    "said in several steps": [
        asking("stream", expect=f"calls: [{{{CHAT}, messages: [], ended: false}}]"),
        asking("send send", expect="calls: [{messages: [hi, hi], ended: false}]"),
        asking("nothing", expect="calls: []"),
        asking("last send close", expect="calls: [{message: hi, ended: true, reset: false}]"),
    ],
    "cancelled later": [
        STREAM, asking("cancel send", expect="calls: [{messages: [], ended: false, reset: true}]"),
    ],
    "over, then closed": [
        STREAM, replying("grpc_status: 3"), *map(asking, ["send", "close", "close cancel"]),
    ],
    "over, then cancelled": [STREAM, replying("grpc_status: 3"), *map(asking, ["cancel", "close"])],
    "closed on both sides": [
        asking("stream send close send close"), "{reply: {open: true}}", replying(""), asking("close send"),
    ],
    "ended but not closed": [asking("stream last"), replying("grpc_status: 1"), asking("close")],
    "no such cluster": [
        asking("call stream", headers="x-cluster: b", expect=(
            "calls: [], logs: [call InternalFailure, 5 close 14 14 Cluster not available,"
            " stream InternalFailure, 6 close 14 14 Cluster not available]"
        )),
        asking("call stream", headers="x-cluster: '', x-service: zz", expect=(
            "calls: [], logs: [call ParseFailure, stream ParseFailure]"
        )),
    ],
}  # fmt: skip
SCENARIOS = UNARY | STREAMS


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Played, Played]]:
    """How each scenario went on the host, and on Envoy."""
    sources = {"filter.cc": source("grpc.cc")}
    module = compile_cpp(tmp_path_factory.mktemp("grpc"), sources, flags=STRICT).read_bytes()
    told = [f"setup: {{clusters: [a]}}, steps: [{', '.join(steps)}]" for steps in SCENARIOS.values()]
    host = hosted(module, *told)
    envoy = compared(host, staged(module, *told))
    return dict(zip(SCENARIOS, zip(host, envoy, strict=True), strict=True))


@pytest.mark.parametrize("name", SCENARIOS)
def test_grpc_is_the_same_on_both(both: dict[str, tuple[Played, Played]], name: str) -> None:
    host, envoy = both[name]
    assert problems(host) == []
    assert problems(envoy) == []
    assert len(envoy.steps) == len(host.steps)
    assert told(envoy.trace) == told(host.trace)


def test_a_call_that_times_out_by_itself_ends_what_can_be_judged(tmp_path: Path) -> None:
    """On the host no time passes in these steps; here each takes some."""
    module = compile_cpp(tmp_path, {"filter.cc": source("grpc.cc")}, flags=STRICT).read_bytes()
    brief = asking("call", headers="x-timeout: 1")
    told = f"setup: {{clusters: [a]}}, steps: [{', '.join([brief] * 9)}]"
    [envoy] = compared(hosted(module, told), staged(module, told))
    assert problems(envoy) == []
    [left] = envoy.steps[-1].left_out
    assert (left.what, left.reason) == ("timeout", "the 1 ms of a call were already over")
    assert len(envoy.steps) < 10
