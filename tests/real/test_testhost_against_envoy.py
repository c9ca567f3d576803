"""The test host against the real Envoy: the same guest, the same answers.

Guests are assembled, so both run the very same calls; Envoy's trace and the host's are compared line by line.
Addresses are the same too, since the allocator always gives one place.
"""

import http.client
import re
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from cases.foreign_calls import FOREIGN_CALLS
from cases.hostcalls import ROOT_CALLS
from cases.hostile_calls import DATA, all_calls
from modules.guests import TEXT, answering, calling, const, start
from modules.guests import running as running_code
from weft.testhost import HeaderMap, Host, World
from weft.testhost.streams import HttpStream
from weft.testhost.vm import Context
from weft.wasm import ABI_VERSIONS
from worlds.bare_envoy import Plugin, Running, changing, envoy_binary, running

pytestmark = pytest.mark.real("envoy")

_LINE = re.compile(r"(\[(?:host|vm)[<-]?[->](?:vm|host)\] .*)$", re.MULTILINE)
_BOOTSTRAP = """
static_resources:
  listeners:
  - address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    filter_chains:
    - filters:
      - name: http
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.\
HttpConnectionManager
          stat_prefix: x
          route_config: {}
          http_filters:
          - name: my
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
              config:
                root_id: r
                vm_config:
                  runtime: envoy.wasm.runtime.v8
                  code: {local: {filename: MODULE}}
          - name: router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
"""


def between(lines: Sequence[str], callback: str) -> list[str]:
    """The lines of the first call of ``callback``."""
    first = next(index for index, line in enumerate(lines) if line.startswith(f"[host->vm] {callback}("))
    last = next(index for index, line in enumerate(lines) if line.startswith(f"[host<-vm] {callback} "))
    return [line for line in lines[first : last + 1] if line.startswith("[")]


def validated(folder: Path, module: bytes) -> list[str]:
    """Envoy's trace of the VM's start."""
    (folder / "m.wasm").write_bytes(module)
    bootstrap = folder / "e.yaml"
    bootstrap.write_text(_BOOTSTRAP.replace("MODULE", str(folder / "m.wasm")))
    command = [str(envoy_binary()), "--mode", "validate", "-c", str(bootstrap), "--use-dynamic-base-id"]
    command += ["-l", "trace"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stderr
    return between(_LINE.findall(said), "proxy_on_vm_start")


def test_a_root_context_gets_the_same_answers(tmp_path: Path) -> None:
    calls = [(case.values[0], case.values[1]) for case in ROOT_CALLS]
    calls = [call for call in calls if call[0] != "proxy_done"]  # an answer to a question of the VM's end
    module = calling(*calls, text=b"abc")  # type: ignore[arg-type]
    mine = start(module, world=World(clusters=frozenset())).world.trace
    assert between(mine, "proxy_on_vm_start") == validated(tmp_path, module)


def test_foreign_functions_get_the_same_answers(tmp_path: Path) -> None:
    """How long what is compressed is depends on the library, so its memory is not compared."""
    for number, case in enumerate(FOREIGN_CALLS):
        arguments, text, _, _ = case.values
        module = calling(("proxy_call_foreign_function", arguments), text=text)
        mine = between(start(module).world.trace, "proxy_on_vm_start")
        (tmp_path / str(number)).mkdir()
        envoys = validated(tmp_path / str(number), module)
        assert (case.id, unsized(mine)) == (case.id, unsized(envoys))


def unsized(lines: Sequence[str]) -> list[str]:
    return [re.sub(r"malloc\(\d+\)", "malloc(n)", line) for line in lines]


@pytest.mark.parametrize("abi", ABI_VERSIONS)
def test_lies_about_every_number_of_every_function_get_the_same_answers(tmp_path: Path, abi: str) -> None:
    calls = all_calls(abi, without={"proxy_done"})
    module = calling(*calls, pieces=DATA, abi=abi.replace(".", "_"))
    mine = start(module, world=World(clusters=frozenset())).world.trace
    assert between(mine, "proxy_on_vm_start") == validated(tmp_path, module)


REQUEST_CALLS = [
    ("proxy_get_header_map_value", (0, TEXT, 5, 64, 68)),
    ("proxy_add_header_map_value", (0, TEXT + 5, 3, TEXT + 8, 1)),
    ("proxy_replace_header_map_value", (0, TEXT, 5, TEXT, 1)),
    ("proxy_remove_header_map_value", (0, TEXT + 5, 3)),
    ("proxy_get_header_map_value", (0, TEXT + 5, 3, 64, 68)),
    ("proxy_get_header_map_value", (2, TEXT, 5, 64, 68)),
    ("proxy_get_header_map_value", (6, TEXT, 5, 64, 68)),
    ("proxy_get_header_map_pairs", (2, 64, 68)),
    ("proxy_get_header_map_size", (2, 64)),
    ("proxy_get_buffer_bytes", (0, 0, 9, 64, 68)),
    ("proxy_get_buffer_status", (1, 64, 68)),
    ("proxy_set_buffer_bytes", (0, 0, 0, TEXT, 1)),
    ("proxy_get_property", (TEXT + 9, 12, 64, 68)),
    ("proxy_get_property", (TEXT + 21, 4, 64, 68)),
    ("proxy_set_property", (TEXT + 21, 4, TEXT, 3)),
    ("proxy_get_property", (TEXT + 21, 4, 64, 68)),
    ("proxy_set_effective_context", (1,)),
    ("proxy_get_header_map_value", (0, TEXT, 5, 64, 68)),
    ("proxy_set_effective_context", (2,)),
    ("proxy_get_header_map_value", (0, TEXT, 5, 64, 68)),
    ("proxy_continue_stream", (3,)),
]
REQUEST_TEXT = b":pathx-av" + b"request\0path" + b"mine"


def traced(envoy: Running, callback: str) -> list[str]:
    envoy.logged(rf"\[host<-vm\] {callback} ")
    return between(_LINE.findall(envoy.log()), callback)


def set_trace(envoy: Running) -> None:
    host, port = envoy.admin.split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    connection.request("POST", "/logging?wasm=trace")
    assert connection.getresponse().status == 200
    connection.close()


def ours(host: Host, callback: str) -> list[str]:
    """The host's trace of one call, in a stream like that through Envoy."""
    stream = host.stream()
    stream.request_headers(HeaderMap([(":method", "POST"), (":path", "/"), (":authority", "t")]), end=False)
    stream.request_body(b"abc", end=True)
    stream.response_headers(HeaderMap([(":status", "200")]), end=False)
    stream.response_body(b"abc", end=False)
    stream.response_trailers(HeaderMap([("x-trailer", "upstream")]))
    return between(host.world.trace, callback)


@pytest.mark.parametrize(
    "during",
    [
        "request_headers",
        "request_body",
        "response_headers",
        "response_body",
        "response_trailers",
        "log",
        "done",
    ],
)
def test_a_stream_gets_the_same_answers(tmp_path: Path, during: str) -> None:
    during = f"proxy_on_{during}"
    module = calling(*REQUEST_CALLS, during=during, returns=0, text=REQUEST_TEXT)
    (tmp_path / "m.wasm").write_bytes(module)
    with running(tmp_path, Plugin(tmp_path / "m.wasm")) as envoy:
        set_trace(envoy)
        envoy.ask("/", method="POST", body=b"abc")
        envoys = traced(envoy, during)
    answers = [line for line in envoys if line.startswith("[vm<-host]")]
    mine = [line for line in ours(start(module), during) if line.startswith("[vm<-host]")]
    assert mine == answers


@pytest.mark.parametrize(
    "during", ["request_headers", "request_body", "response_headers", "response_trailers", "log", "delete"]
)
def test_lies_in_a_stream_get_the_same_answers(tmp_path: Path, during: str) -> None:
    ends = {"proxy_close_stream", "proxy_send_local_response"} if during in {"log", "delete"} else ()
    during = f"proxy_on_{during}"
    module = calling(*all_calls("0.2.1", without=ends), pieces=DATA, during=during, returns=0)
    (tmp_path / "m.wasm").write_bytes(module)
    with running(tmp_path, Plugin(tmp_path / "m.wasm")) as envoy:
        set_trace(envoy)
        with suppress(OSError, http.client.HTTPException):  # the last lies close the stream
            envoy.ask("/", method="POST", body=b"abc")
        envoys = traced(envoy, during)
    host = start(module, world=World(clusters=frozenset()))
    assert asked_and_answered(ours(host, during)) == asked_and_answered(envoys)


def asked_and_answered(lines: Sequence[str]) -> list[str]:
    return [line for line in lines if line.startswith(("[vm->host]", "[vm<-host]"))]


@pytest.mark.parametrize(
    ("action", "trailers"),
    [
        pytest.param(0, 0, id="continue"),
        pytest.param(1, 0, id="buffer until the trailers"),
        pytest.param(2, 0, id="watermark until the trailers"),
        pytest.param(3, 0, id="drop"),
    ],
)
def test_a_stream_goes_the_same_way(tmp_path: Path, action: int, trailers: int) -> None:
    """Callbacks in the same order with the same sizes, the same bodies on both sides."""
    module = answering(
        on_request_headers=0, on_request_body=action, on_request_trailers=trailers,
        on_response_headers=0, on_response_body=action, on_response_trailers=trailers, on_done=1,
    )  # fmt: skip
    (tmp_path / "m.wasm").write_bytes(module)
    with running(tmp_path, Plugin(tmp_path / "m.wasm")) as envoy:
        set_trace(envoy)
        answer = envoy.ask("/", method="POST", body=b"abc", trailers={"x-t": "1"})
        envoy.logged(r"\[host<-vm\] proxy_on_done ")
        received = envoy.upstream.seen[0]
        envoys = events(_LINE.findall(envoy.log()))
    host = start(module)
    stream = host.stream()
    stream.request_headers(HeaderMap([(":method", "POST"), (":path", "/")]), end=False)
    stream.request_body(b"abc", end=False)
    stream.request_trailers(HeaderMap([("x-t", "1")]))
    assert bytes(stream.upstream.body) == received.body
    stream.response_headers(HeaderMap([(":status", "200")]), end=False)
    stream.response_body(received.body or b"upstream", end=False)
    stream.response_trailers(HeaderMap([("x-trailer", "upstream")]))
    assert bytes(stream.client.body) == answer.body
    assert events(host.world.trace) == envoys


def test_a_local_response_goes_the_same_way(tmp_path: Path) -> None:
    answered = {"proxy_on_response_headers": 0, "proxy_on_response_body": 0, "proxy_on_done": 1}
    respond = ("proxy_send_local_response", (418, 0, 0, TEXT, 3, 0, 0, 0xFFFFFFFF))
    module = calling(respond, during="proxy_on_request_headers", returns=0, text=b"tea", also=answered)
    (tmp_path / "m.wasm").write_bytes(module)
    with running(tmp_path, Plugin(tmp_path / "m.wasm")) as envoy:
        set_trace(envoy)
        answer = envoy.ask("/")
        envoy.logged(r"\[host<-vm\] proxy_on_done ")
        envoys = events(_LINE.findall(envoy.log()))
    host = start(module)
    stream = host.stream()
    stream.request_headers(HeaderMap([(":method", "GET"), (":path", "/")]), end=True)
    assert (dict(stream.client.headers or ())[":status"], bytes(stream.client.body)) == ("418", answer.body)
    assert events(host.world.trace) == envoys


DONE_CALLS = [
    ("proxy_done", ()),  # of a stream's own root, which nobody asked
    ("proxy_set_effective_context", (1,)),
    ("proxy_done", ()),
    ("proxy_done", ()),
]


def test_a_root_that_asked_for_time_goes_the_same_way(tmp_path: Path) -> None:
    """Two plugins share a VM; one is taken away and asks for time, a stream of the other says it is done."""
    module = calling(
        *DONE_CALLS, during="proxy_on_request_headers", returns=0,
        also={"proxy_on_context_create": 0, "proxy_on_done": 0, "proxy_on_delete": 0},
    )  # fmt: skip
    path = tmp_path / "m.wasm"
    path.write_bytes(module)
    leaving, staying = (Plugin(path, name=name, root_id=name) for name in ("leaving", "staying"))
    with changing(tmp_path, leaving, staying) as (envoy, change):
        set_trace(envoy)
        change(staying)
        envoy.logged(r"\[host<-vm\] proxy_on_done ", 2)  # in the VM of the main thread, too
        envoy.ask("/")
        envoy.ask("/")
        envoy.logged(r"\[host<-vm\] proxy_on_delete ", 3)
        envoys = _LINE.findall(envoy.log())
    host = start(module)
    other = host.vm.new_context(Context)
    host.shut_down()
    for _ in range(2):
        stream = HttpStream(host.vm, other, "")
        stream.request_headers(HeaderMap([(":method", "GET"), (":path", "/")]), end=True)
        stream.response_headers(HeaderMap([(":status", "200")]), end=True)
    mine = host.world.trace
    begun = "[host->vm] proxy_on_context_create(3, 2)"
    assert whole(mine[mine.index(begun) :]) == whole(envoys[envoys.index(begun) :])


def whole(lines: Sequence[str]) -> list[str]:
    """All but memory, and how many headers Envoy added."""
    return [re.sub(r"(_headers\(\d+), \d+", r"\1, n", line) for line in lines if "malloc" not in line]


def events(lines: Sequence[str]) -> list[str]:
    """Calls of a stream's callbacks and their answers, without how many headers Envoy added."""
    kept = [line for line in lines if re.match(r"\[host(->|<-)vm\] proxy_on_(re|done|log|delete)", line)]
    return [re.sub(r"(_headers\(\d+), \d+", r"\1, n", line) for line in kept]


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(b"\0" + const(0), id="unreachable"),
        pytest.param(const(0x7FFF0000) + b"\x28\x02\0", id="out of bounds"),
        pytest.param(const(1) + const(0) + b"\x6d", id="division by zero"),
        pytest.param(const(0x80000000) + const(0xFFFFFFFF) + b"\x6d", id="division that overflows"),
        pytest.param(b"\x43\0\0\xc0\x7f\xa8", id="no number"),
        pytest.param(b"\x20\0\x20\1\x20\2\x10\2", id="recursion without end"),
    ],
)
def test_a_failure_is_told_in_the_same_words(tmp_path: Path, code: bytes) -> None:
    module = running_code(code)
    (tmp_path / "m.wasm").write_bytes(module)
    with running(tmp_path, Plugin(tmp_path / "m.wasm")) as envoy:
        answer = envoy.ask("/")
        envoy.logged("Function: proxy_on_request_headers failed: ")
        said = envoy.log()
    host = start(module)
    stream = host.stream()
    stream.request_headers(HeaderMap([(":method", "GET"), (":path", "/")]), end=True)
    assert stream.client.headers == ((":status", str(answer.status)),)
    assert host.vm.failure is not None
    assert host.vm.failure in said
