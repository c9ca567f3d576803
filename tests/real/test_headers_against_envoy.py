"""Header maps against the real Envoy: a guest changes a map and logs all of it, here and there.

Which names Envoy joins is nowhere written but in its code and its extensions', so every name that might be
one is tried.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from modules.guests import HEAP, TEXT, const, data, row, start
from modules.wasm_encoder import body, proxy_module, u
from weft.testhost import Pairs
from weft.testhost.abi import decode_pairs, encode_pairs
from worlds.bare_envoy import Plugin, running

pytestmark = pytest.mark.real("envoy")

Call = tuple[str, Sequence[int]]
DROP = b"\x1a"
LOGGED = 16000

_TRIED = """
    :authority :method :path :protocol :scheme :status a accept accept-charset accept-encoding accept-language
    accept-ranges access-control-allow-credentials access-control-allow-headers access-control-allow-methods
    access-control-allow-origin access-control-allow-private-network access-control-expose-headers
    access-control-max-age access-control-request-headers access-control-request-method
    access-control-request-private-network age allow authentication authorization baggage cache-control
    cdn-loop client-trace-id connection content-encoding content-language content-length content-location
    content-range content-security-policy content-type cookie date etag expect expires forwarded from
    grpc-accept-encoding grpc-encoding grpc-message grpc-status grpc-status-details-bin grpc-timeout host
    if-match if-modified-since if-none-match if-range if-unmodified-since keep-alive last-modified link
    location max-forwards origin pragma proxy-authenticate proxy-authorization proxy-connection proxy-status
    range referer retry-after server set-cookie strict-transport-security te traceparent tracestate trailer
    transfer-encoding upgrade user-agent vary via www-authenticate x-b3-sampled x-b3-spanid x-b3-traceid
    x-client-trace-id x-envoy-attempt-count x-envoy-decorator-operation x-envoy-degraded
    x-envoy-downstream-service-cluster x-envoy-downstream-service-node x-envoy-expected-rq-timeout-ms
    x-envoy-external-address x-envoy-force-trace x-envoy-hedge-on-per-try-timeout
    x-envoy-immediate-health-check-fail x-envoy-internal x-envoy-ip-tags x-envoy-is-timeout-retry
    x-envoy-local-overloaded x-envoy-max-retries x-envoy-original-dst-host x-envoy-original-host
    x-envoy-original-method x-envoy-original-path x-envoy-original-url x-envoy-overloaded x-envoy-ratelimited
    x-envoy-retriable-header-names x-envoy-retriable-status-codes x-envoy-retry-grpc-on x-envoy-retry-on
    x-envoy-upstream-alt-stat-name x-envoy-upstream-canary x-envoy-upstream-healthchecked-cluster
    x-envoy-upstream-rq-per-try-idle-timeout-ms x-envoy-upstream-rq-per-try-timeout-ms
    x-envoy-upstream-rq-timeout-alt-response x-envoy-upstream-rq-timeout-ms x-envoy-upstream-service-time
    x-envoy-upstream-stream-duration-ms x-forwarded-client-cert x-forwarded-for x-forwarded-host
    x-forwarded-port x-forwarded-proto x-frame-options x-ot-span-context x-real-ip x-request-id
"""
NAMES = _TRIED.split()
MAPS = ["request_headers", "request_trailers", "response_headers", "response_trailers"]
FIRST = [
    [(":method", "POST"), (":path", "/"), (":authority", "t")],
    [],
    [("b", "1"), (":status", "200"), ("a", "1"), ("server", "s"), ("B", "2"), ("server", "t")],
    [],
]
"""What a map holds before it is changed, and Envoy goes on with."""
CHANGES = [
    pytest.param(2, ["add a 2", "add c 1", "replace a 9"], id="replaced goes to the end"),
    pytest.param(2, ["add x 1", "replace server t", "replace via 1"], id="a joined one too"),
    pytest.param(2, ["add etag ", "add etag s", "add etag ", "add etag t"], id="nothing is not joined"),
    pytest.param(2, ["add :new 1", "replace :status 201"], id="pseudo headers come first"),
    pytest.param(2, ["add VIA 1", "add vIa 2", "add set-COOKIE a", "add Set-Cookie b"], id="in lower case"),
    pytest.param(2, ["add  1", "replace  2", "add y z ", "add \xe4 \xe4"], id="strange names"),
    pytest.param(2, ["add host a", "add Host b", "add :authority c"], id="a response's host"),
    pytest.param(0, ["add host a", "add Host b", "add cookie a", "add cookie b"], id="a request's host"),
    pytest.param(0, ["add x 1", "replace hOst a", "remove x"], id="another host"),
    pytest.param(0, ["remove host"], id="no host"),
]
GRPC = {"content-type": "application/grpc"}
REPLIES = [
    pytest.param({}, b"x", [("x", "1"), ("vary", "1"), ("vary", "2")], id="a text"),
    pytest.param({}, b"x", [("a", "1"), ("content-type", "a/b"), ("content-length", "9")], id="of a type"),
    pytest.param({}, b"", [("a", "1"), ("content-type", "a/b"), ("content-length", "9")], id="nothing"),
    pytest.param({}, b"x", [(":status", "299"), (":path", "/"), ("host", "h")], id="pseudo headers"),
    pytest.param({":method": "HEAD"}, b"x", [], id="to HEAD"),
    pytest.param(GRPC, bytes(range(256)), [("a", "1")], id="gRPC with any byte"),
    pytest.param(GRPC, b"", [("grpc-message", "m"), ("grpc-status", "")], id="gRPC with no text"),
    pytest.param(
        {"content-type": "application/grpc+proto"},
        b"x",
        [("grpc-message", "m"), ("content-type", "q"), ("content-length", "7"), ("grpc-status", "3")],
        id="gRPC with a status of its own",
    ),
    pytest.param({"content-type": "application/grpc-web"}, b"x", [], id="gRPC-Web"),
    pytest.param({**GRPC, ":method": "HEAD"}, b"x", [], id="gRPC to HEAD"),
]


class Guest:
    """Gathers calls of callbacks, and places for the texts they name."""

    def __init__(self) -> None:
        self.callbacks: dict[str, list[Call]] = {}
        self._text = b""

    def call(self, callback: str, function: str, *values: int | bytes) -> None:
        """One more call; a text stands for its place and length."""
        numbers: list[int] = []
        for value in values:
            numbers += [value] if isinstance(value, int) else [self._place(value), len(value)]
        self.callbacks.setdefault(callback, []).append((function, numbers))

    def show(self, which: int) -> None:
        """Log a map; there are zeros after it. Then let the stream go on with what it began with."""
        callback = f"proxy_on_{MAPS[which]}"
        self.call(callback, "proxy_get_header_map_pairs", which, 64, 68)
        self.call(callback, "proxy_log", 2, HEAP, LOGGED)
        self.call(callback, "proxy_set_header_map_pairs", which, encode_pairs(FIRST[which]))

    def module(self) -> bytes:
        """A guest that makes the calls and continues."""
        names = dict.fromkeys(name for calls in self.callbacks.values() for name, _ in calls)
        index = {name: place for place, name in enumerate(names)}
        bodies = {"malloc": body(const(HEAP))}
        for callback, calls in self.callbacks.items():
            pushed = (b"".join(map(const, values)) + b"\x10" + u(index[name]) for name, values in calls)
            bodies[callback] = body(b"".join(code + DROP for code in pushed) + const(0))
        signatures = {
            name: "i32 i32 -> i32" if name.endswith("trailers") else "i32 i32 i32 -> i32"
            for name in self.callbacks
        }
        imports = [(row(name).module, name, str(row(name).signature)) for name in names]
        return proxy_module(imports=imports, exports=signatures, bodies=bodies, tail=data((TEXT, self._text)))

    def _place(self, text: bytes) -> int:
        if text not in self._text:
            self._text += text
            assert TEXT + len(self._text) <= HEAP
        return TEXT + self._text.index(text)


def envoys(folder: Path, module: bytes, request: dict[str, str]) -> Pairs:
    """The map that Envoy has."""
    (folder / "m.wasm").write_bytes(module)
    headers = {name: value for name, value in request.items() if name != ":method"}
    with running(folder, Plugin(folder / "m.wasm")) as envoy:
        if request.get(":method") == "HEAD":
            envoy.ask("/", method="HEAD", headers=headers)
        else:
            envoy.ask("/", method="POST", headers=headers, body=b"abc", trailers={"x-t": "1"})
        envoy.logged("wasm log")
        log = envoy.log_file.read_bytes()
    found = re.search(rb"wasm log[^:]*: ", log)
    assert found is not None
    return tuple(decode_pairs(log[found.end() : found.end() + LOGGED]))


def ours(module: bytes, request: dict[str, str]) -> Pairs:
    """The map that the test host has, of the same stream."""
    host = start(module)
    stream = host.stream()
    stream.request_headers({":method": "POST", ":path": "/", **request}.items(), end=False)
    stream.request_body(b"abc", end=False)
    stream.request_trailers([("x-t", "1")])
    stream.response_headers([(":status", "200"), ("x-from", "upstream")], end=False)
    stream.response_body(b"abc", end=False)
    stream.response_trailers([("x-trailer", "upstream")])
    return tuple(decode_pairs(host.world.logs[0].message.encode("utf-8", "surrogateescape")))


@pytest.mark.parametrize("which", range(4), ids=MAPS)
def test_the_same_names_are_joined(tmp_path: Path, which: int) -> None:
    guest, callback = Guest(), f"proxy_on_{MAPS[which]}"
    for name in map(str.encode, NAMES):
        guest.call(callback, "proxy_remove_header_map_value", which, name)
        guest.call(callback, "proxy_add_header_map_value", which, name, b"1")
        guest.call(callback, "proxy_add_header_map_value", which, name, b"2")
    guest.show(which)
    module = guest.module()
    assert ours(module, {}) == envoys(tmp_path, module, {})


@pytest.mark.parametrize(("which", "lines"), CHANGES)
def test_changes_leave_the_same_map(tmp_path: Path, which: int, lines: Sequence[str]) -> None:
    guest, callback = Guest(), f"proxy_on_{MAPS[which]}"
    guest.call(callback, "proxy_set_header_map_pairs", which, encode_pairs(FIRST[which]))
    for line in lines:
        verb, *words = line.split(" ", 2)
        texts = (word.encode() for word in words)
        guest.call(callback, f"proxy_{verb}_header_map_value", which, *texts)
    guest.show(which)
    module = guest.module()
    assert ours(module, {}) == envoys(tmp_path, module, {})


@pytest.mark.parametrize(("request_", "text", "headers"), REPLIES)
def test_a_local_response_has_the_same_headers(
    tmp_path: Path, request_: dict[str, str], text: bytes, headers: Pairs
) -> None:
    guest = Guest()
    values = (403, 0, 0, text, encode_pairs(headers), 0xFFFFFFFF)
    guest.call("proxy_on_request_headers", "proxy_send_local_response", *values)
    guest.show(2)
    module = guest.module()
    assert ours(module, request_) == envoys(tmp_path, module, request_)
