"""What each host function answers: right, wrong, and when the guest lies about its memory."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases.hostcalls import ROOT_CALLS
from modules.guests import HEAP, TEXT, calling, const, data, read_answers, row, start
from modules.wasm_encoder import body, proxy_module, u
from weft.testhost import Clock, HeaderMap, Host, World
from weft.testhost.abi import Status
from weft.testhost.hostcalls import BODIES, hostcalls
from weft.wasm import ABI_VERSIONS, HOST_FUNCTIONS

OK, NOT_FOUND, BAD = Status.OK, Status.NOT_FOUND, Status.BAD_ARGUMENT
EMPTY, CAS = Status.EMPTY, Status.CAS_MISMATCH


def test_every_function_of_the_abi_has_a_body_and_no_other() -> None:
    assert {found.name for found in HOST_FUNCTIONS} == set(BODIES)
    for abi in ABI_VERSIONS:
        assert set(hostcalls(abi)) == {(f.module, f.name) for f in HOST_FUNCTIONS if abi in f.abis}


@pytest.mark.parametrize(("name", "arguments", "status"), ROOT_CALLS)
def test_a_root_context_gets_this_answer(name: str, arguments: tuple[int, ...], status: int) -> None:
    host = start(calling((name, arguments), text=b"abc"), world=World(clusters=frozenset()))
    assert read_answers(host, 1) == [status]


def asking(name: str) -> bytes:
    """A guest that calls one function in every tick, with arguments it finds at 512, eight bytes each."""
    found = row(name)
    loads = b"".join(
        const(512 + 8 * index) + (b"\x28\x02\0" if kind == "i32" else b"\x29\x03\0")
        for index, kind in enumerate(found.signature.params)
    )
    call = loads + b"\x10" + u(0)
    code = const(0) + call + b"\x36\x02\0" if found.signature.results else call
    return proxy_module(
        imports=[(found.module, found.name, str(found.signature))],
        exports={"proxy_on_tick": "i32 -> void"},
        bodies={"malloc": body(const(HEAP)), "proxy_on_tick": body(code)},
        tail=data((TEXT, b"abc")),
    )


NUMBERS = st.one_of(
    st.sampled_from([0, 1, 2, 3, 7, TEXT, 65535, 65536, 65537, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]),
    st.integers(0, 0xFFFFFFFF),
)
HOSTS: dict[str, Host] = {}


@pytest.mark.parametrize("name", sorted({found.name for found in HOST_FUNCTIONS if "0.2.1" in found.abis}))
@settings(max_examples=25, deadline=None)
@given(numbers=st.lists(NUMBERS, min_size=13, max_size=13))
def test_no_argument_hurts_the_host(name: str, numbers: list[int]) -> None:
    host = HOSTS.get(name) or HOSTS.setdefault(name, start(asking(name), world=World(tracing=False)))
    for index, number in enumerate(numbers):
        host.vm.memory.write_u64(512 + 8 * index, number)
    host.tick()
    if host.vm.failure is not None:
        assert "stopped by weft: " in host.vm.failure
        del HOSTS[name]
    assert host.vm.memory.size == 65536


def test_time_and_log_level_are_the_worlds() -> None:
    module = calling(
        ("proxy_get_current_time_nanoseconds", (64,)),
        ("proxy_get_log_level", (72,)),
        ("clock_time_get", (1, 0, 80)),
    )
    host = start(module, world=World(clock=Clock(5_000_000_007), log_level="warn"))
    assert host.vm.memory.read(64, 8) == (5_000_000_007).to_bytes(8, "little")
    assert host.vm.memory.read_u32(72) == 3
    assert host.vm.memory.read(80, 8) == (1_000_000_000).to_bytes(8, "little")


def test_output_becomes_lines_of_the_log() -> None:
    iovs = (TEXT).to_bytes(4, "little") + (3).to_bytes(4, "little")
    iovs += (TEXT + 3).to_bytes(4, "little") + (2).to_bytes(4, "little")
    found = row("fd_write")
    code = const(2) + const(512) + const(2) + const(64) + b"\x10\0\x1a" + const(1)
    module = proxy_module(
        imports=[(found.module, "fd_write", str(found.signature))],
        exports={"proxy_on_vm_start": "i32 i32 -> i32"},
        bodies={"proxy_on_vm_start": body(code)},
        tail=data((TEXT, b"oh! \n"), (512, iovs)),
    )
    host = start(module)
    assert [(line.level, str(line)) for line in host.world.logs] == [("error", "wasm log r: oh! ")]
    assert host.vm.memory.read_u32(64) == 5


def test_shared_data_is_replaced_only_by_who_saw_it_last() -> None:
    share = ("proxy_set_shared_data", (TEXT, 1, TEXT + 1, 2, 0))
    module = calling(
        share,
        ("proxy_get_shared_data", (TEXT, 1, 64, 68, 72)),
        ("proxy_set_shared_data", (TEXT, 1, TEXT, 3, 9)),
        ("proxy_set_shared_data", (TEXT, 1, TEXT, 3, 1)),
        text=b"kvv",
    )
    host = start(module)
    assert read_answers(host, 4) == [OK, OK, CAS, OK]
    assert host.vm.memory.read(HEAP, 2) == b"vv"
    assert host.world.shared_data.document() == {"k": b"kvv"}


def test_a_queue_gives_what_was_put_in_and_tells_its_owner() -> None:
    module = calling(
        ("proxy_register_shared_queue", (TEXT, 1, 64)),
        ("proxy_enqueue_shared_queue", (1, TEXT + 1, 2)),
        ("proxy_resolve_shared_queue", (0, 0, TEXT, 1, 68)),
        ("proxy_dequeue_shared_queue", (1, 72, 76)),
        ("proxy_dequeue_shared_queue", (1, 72, 76)),
        text=b"qab",
    )
    host = start(module)
    assert read_answers(host, 5) == [OK, OK, OK, OK, EMPTY]
    assert host.vm.memory.read(HEAP, 2) == b"ab"


def test_metrics_are_one_by_name_and_wrap_as_envoys() -> None:
    module = calling(
        ("proxy_define_metric", (0, TEXT, 1, 64)),
        ("proxy_define_metric", (0, TEXT, 1, 68)),
        ("proxy_define_metric", (1, TEXT + 1, 1, 72)),
        ("proxy_define_metric", (2, TEXT + 2, 1, 76)),
        ("proxy_increment_metric", (4, 2)),
        ("proxy_increment_metric", (8, 3)),
        ("proxy_increment_metric", (4, 0)),
        ("proxy_increment_metric", (5, (1 << 64) - 1)),
        ("proxy_record_metric", (5, 7)),
        ("proxy_record_metric", (6, 250)),
        ("proxy_get_metric", (4, 80)),
        text=b"cgh",
    )
    host = start(module)
    assert read_answers(host, 11) == [OK] * 6 + [BAD] + [OK] * 4
    assert [host.vm.memory.read_u32(at) for at in (64, 68, 72, 76, 80)] == [4, 8, 5, 6, 5]
    assert host.world.metrics.document() == {"c": 5, "g": 7, "h": [250]}


def test_old_modules_get_an_empty_text_for_a_header_that_is_not_there() -> None:
    old = calling(
        ("proxy_get_header_map_value", (0, TEXT, 3, 64, 68)),
        during="proxy_on_request_headers",
        text=b"abc",
        abi="0_1_0",
        returns=0,
    )
    host = start(old)
    host.stream().request_headers(HeaderMap([(":path", "/")]), end=True)
    assert read_answers(host, 1) == [OK]


def test_what_is_called_too_early_stops_the_module() -> None:
    found = row("proxy_define_metric")
    module = proxy_module(
        imports=[(found.module, found.name, str(found.signature))],
        exports={"_initialize": "void -> void"},
        bodies={"_initialize": body(const(0) * 4 + b"\x10\0\x1a")},
    )
    with pytest.raises(Exception, match="Failed to initialize Wasm code") as refused:
        start(module)
    assert "Function: _initialize failed: Uncaught Error: restricted_callback" in refused.value.detail  # type: ignore[attr-defined]


def test_what_the_guest_gets_lies_where_its_allocator_says() -> None:
    host = start(calling(("proxy_get_buffer_bytes", (6, 1, 2, 64, 68))), vm_config=b"some")
    assert read_answers(host, 1) == [OK]
    assert [host.vm.memory.read_u32(at) for at in (64, 68)] == [HEAP, 2]
    assert host.vm.memory.read(HEAP, 2) == b"om"
