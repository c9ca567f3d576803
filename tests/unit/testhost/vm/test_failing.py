"""Guests that fail, never end or want too much: the host says so in Envoy's words and lives on."""

import pytest

from modules.guests import HEAP, TEXT, answering, calling, const, row, running, start
from modules.wasm_encoder import body, proxy_module
from weft.errors import FilterRefused
from weft.testhost import HeaderMap, Host, HttpStream, Limits, World
from weft.wasm import ModuleInvalid

ENDLESS = b"\x03\x40\x0c\0\x0b" + const(0)
"""``loop br 0 end``"""
RECURSIVE = b"\x20\0\x20\1\x20\2\x10\2"
GROWING = const(40000) + b"\x40\0"
BEYOND = const(0x7FFF0000) + b"\x28\x02\0"


def request(host: Host, path: str = "/") -> HttpStream:
    stream = host.stream()
    stream.request_headers(HeaderMap([(":method", "GET"), (":path", path)]), end=True)
    return stream


@pytest.mark.parametrize(
    ("code", "words"),
    [
        pytest.param(b"\0" + const(0), "Uncaught RuntimeError: unreachable", id="unreachable"),
        pytest.param(BEYOND, "Uncaught RuntimeError: memory access out of bounds", id="out of bounds"),
        pytest.param(const(1) + const(0) + b"\x6d", "Uncaught RuntimeError: divide by zero", id="division"),
        pytest.param(
            RECURSIVE, "Uncaught RangeError: Maximum call stack size exceeded", id="recursion without end"
        ),
        pytest.param(ENDLESS, "stopped by weft: the code ran too long without an end", id="endless loop"),
    ],
)
def test_a_failing_guest_is_answered_for_with_503(code: bytes, words: str) -> None:
    host = start(running(code), limits=Limits(fuel=10_000_000))
    stream = request(host)
    assert host.vm.failure is not None
    first, second, third, *_ = host.vm.failure.splitlines()
    assert first == f"Function: proxy_on_request_headers failed: {words}"
    assert second == "Proxy-Wasm plugin in-VM backtrace:"
    assert third.startswith("  0:  0x")
    assert third.endswith(" - the_callback")
    assert stream.client.headers == ((":status", "503"),)
    assert stream.local_reply is not None
    assert stream.local_reply.details == "wasm_fail_stream"
    assert stream.finished


def test_without_names_there_is_no_backtrace_as_in_envoy() -> None:
    host = start(running(b"\0" + const(0), names=False))
    request(host)
    assert host.vm.failure == "Function: proxy_on_request_headers failed: Uncaught RuntimeError: unreachable"


def test_a_failed_guest_is_never_entered_again() -> None:
    host = start(running(b"\0" + const(0)))
    request(host)
    before = len(host.world.trace)
    assert request(host).client.headers == ((":status", "503"),)
    assert host.world.trace[before:] == []


def test_a_failed_guest_that_may_fail_open_is_passed_by() -> None:
    host = start(running(b"\0" + const(0)), fail_open=True)
    assert request(host).client.headers == ((":status", "503"),)
    later = request(host, "/later")
    assert later.upstream.headers == ((":method", "GET"), (":path", "/later"))


def test_memory_grows_no_further_than_the_limit() -> None:
    host = start(running(GROWING + b"\x1a" + const(0)), limits=Limits(memory=1 << 20))
    request(host)
    assert host.vm.failure is None
    assert host.vm.memory.size == 65536


def test_memory_that_grew_is_reached_at_its_new_end() -> None:
    host = start(running(const(2) + b"\x40\0\x1a" + const(0)))
    memory = host.vm.memory
    request(host)
    memory.write_u32(3 * 65536 - 4, 7)
    assert memory.read(3 * 65536 - 4, 4) == b"\7\0\0\0"


def test_a_guest_that_calls_the_host_without_end_is_stopped() -> None:
    found = row("proxy_get_current_time_nanoseconds")
    code = b"\x03\x40" + const(64) + b"\x10\0\x1a\x0c\0\x0b" + const(0)
    module = proxy_module(
        imports=[(found.module, found.name, str(found.signature))],
        exports={"proxy_on_request_headers": "i32 i32 i32 -> i32"},
        bodies={"proxy_on_request_headers": body(code), "malloc": body(const(HEAP))},
    )
    host = start(module, world=World(tracing=False), limits=Limits(host=256 * 50))
    stream = host.stream()
    stream.context.created = True
    host.vm.call(stream.context, "proxy_on_request_headers", 2, 0, 0)
    assert host.vm.failure is not None
    assert "stopped by weft: the code called the host too often without an end" in host.vm.failure


def test_an_allocator_that_calls_the_host_is_stopped() -> None:
    found = row("proxy_get_buffer_bytes")
    code = const(6) + const(0) + const(9) + const(64) + const(68) + b"\x10\0"
    module = proxy_module(
        imports=[(found.module, found.name, str(found.signature))],
        exports={"proxy_on_vm_start": "i32 i32 -> i32"},
        bodies={"proxy_on_vm_start": body(code + b"\x1a" + const(1)), "malloc": body(code)},
    )
    with pytest.raises(FilterRefused, match="Failed to start base Wasm") as refused:
        start(module, vm_config=b"x")
    assert refused.value.detail == "Function: malloc failed: Uncaught Error: restricted_callback"


def test_an_exception_of_ours_passes_through_the_guest_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    module = calling(("proxy_log", (2, TEXT, 0)), during="proxy_on_request_headers", returns=0)
    host = start(module)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(World, "log", interrupted)
    with pytest.raises(KeyboardInterrupt):
        request(host)
    monkeypatch.undo()
    assert request(host).upstream.headers is not None


@pytest.mark.parametrize(
    ("module", "words"),
    [
        pytest.param(answering(on_vm_start=0), "Failed to start base Wasm", id="VM start"),
        pytest.param(answering(on_configure=0), "Failed to configure base Wasm plugin", id="configure"),
        pytest.param(
            proxy_module(imports=[("env", "abort", "void -> void")]),
            "imports env.abort, which Envoy does not have",
            id="import",
        ),
        pytest.param(
            proxy_module(allocator=None), "exports neither malloc nor proxy_on_memory_allocate", id="export"
        ),
        pytest.param(proxy_module(abi=None), "exports no proxy_abi_version_*", id="ABI"),
        pytest.param(
            proxy_module(exports={"proxy_on_tick": "void -> void"}), None, id="a callback of another type"
        ),
        pytest.param(
            proxy_module(bodies={"malloc": body(b"\x42\0")}), "the module is not valid WebAssembly", id="code"
        ),
        pytest.param(
            proxy_module(exports={"go": "void -> void"}, bodies={"go": body(b"\0")}, start="go"),
            "Failed to create new Wasm instance",
            id="start section",
        ),
    ],
)
def test_what_envoy_would_not_run_is_refused(module: bytes, words: str | None) -> None:
    with pytest.raises(FilterRefused) as refused:
        start(module)
    assert words is None or str(refused.value) == words


def test_what_is_no_module_is_refused() -> None:
    with pytest.raises(ModuleInvalid):
        start(b"hello")
