"""What each host function answers: right, wrong, and when the guest lies about its memory."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guests import HEAP, TEXT, calling, const, data, read_answers, row, start
from wasm_encoder import body, proxy_module, u
from weft.testhost import Clock, HeaderMap, Host, World
from weft.testhost.abi import Status
from weft.testhost.hostcalls import BODIES, hostcalls
from weft.wasm import ABI_VERSIONS, HOST_FUNCTIONS

FAR = 0xFFFF_FFF0
OK, NOT_FOUND, BAD, MEMORY = Status.OK, Status.NOT_FOUND, Status.BAD_ARGUMENT, Status.INVALID_MEMORY_ACCESS
EMPTY, CAS, PARSE = Status.EMPTY, Status.CAS_MISMATCH, Status.PARSE_FAILURE


def test_every_function_of_the_abi_has_a_body_and_no_other() -> None:
    assert {found.name for found in HOST_FUNCTIONS} == set(BODIES)
    for abi in ABI_VERSIONS:
        assert set(hostcalls(abi)) == {(f.module, f.name) for f in HOST_FUNCTIONS if abi in f.abis}


@pytest.mark.parametrize(
    ("name", "arguments", "status"),
    [
        pytest.param("proxy_log", (2, TEXT, 3), OK, id="log"),
        pytest.param("proxy_log", (6, TEXT, 3), BAD, id="log at no level"),
        pytest.param("proxy_log", (2, FAR, 3), MEMORY, id="log from nowhere"),
        pytest.param("proxy_log", (2, 65536, 0), OK, id="log nothing at the very end"),
        pytest.param("proxy_log", (2, 65537, 0), MEMORY, id="log nothing beyond the end"),
        pytest.param("proxy_log", (2, 0, 0xFFFFFFFF), MEMORY, id="log everything"),
        pytest.param("proxy_get_log_level", (64,), OK, id="log level"),
        pytest.param("proxy_get_log_level", (65533,), MEMORY, id="log level across the end"),
        pytest.param("proxy_get_status", (64, 68, 72), OK, id="status"),
        pytest.param("proxy_set_tick_period_milliseconds", (10,), OK, id="tick"),
        pytest.param("proxy_get_current_time_nanoseconds", (64,), OK, id="time"),
        pytest.param("proxy_get_current_time_nanoseconds", (65529,), MEMORY, id="time across the end"),
        pytest.param("proxy_get_property", (TEXT, 3, 64, 68), NOT_FOUND, id="unknown property"),
        pytest.param("proxy_set_property", (TEXT, 3, TEXT, 3), NOT_FOUND, id="property without a stream"),
        pytest.param("proxy_set_property", (FAR, 3, TEXT, 3), MEMORY, id="property from nowhere"),
        pytest.param(
            "proxy_send_local_response", (403, 0, 0, 0, 0, 0, 0, 0), OK, id="response without a stream"
        ),
        pytest.param(
            "proxy_send_local_response", (403, 0, 0, FAR, 9, 0, 0, 0), MEMORY, id="body from nowhere"
        ),
        pytest.param("proxy_continue_stream", (0,), OK, id="continue"),
        pytest.param("proxy_continue_stream", (2,), BAD, id="continue a connection"),
        pytest.param("proxy_continue_stream", (4,), BAD, id="continue what is none"),
        pytest.param("proxy_close_stream", (1,), OK, id="close"),
        pytest.param("proxy_close_stream", (4,), BAD, id="close what is none"),
        pytest.param("proxy_set_effective_context", (1,), OK, id="own context"),
        pytest.param("proxy_set_effective_context", (99,), BAD, id="no such context"),
        pytest.param("proxy_done", (), NOT_FOUND, id="done though nobody asked"),
        pytest.param("proxy_call_foreign_function", (TEXT, 3, 0, 0, 0, 0), NOT_FOUND, id="foreign function"),
        pytest.param(
            "proxy_call_foreign_function", (FAR, 3, 0, 0, 0, 0), MEMORY, id="foreign name from nowhere"
        ),
        pytest.param("proxy_get_header_map_value", (8, TEXT, 3, 64, 68), BAD, id="no such map"),
        pytest.param("proxy_get_header_map_value", (0, TEXT, 3, 64, 68), BAD, id="headers without a stream"),
        pytest.param("proxy_add_header_map_value", (6, TEXT, 3, TEXT, 3), BAD, id="add to an answer"),
        pytest.param(
            "proxy_replace_header_map_value", (0, TEXT, 3, TEXT, 3), BAD, id="replace without a stream"
        ),
        pytest.param("proxy_remove_header_map_value", (0, FAR, 3), MEMORY, id="remove from nowhere"),
        pytest.param("proxy_get_header_map_pairs", (0, 64, 68), OK, id="no pairs without a stream"),
        pytest.param("proxy_set_header_map_pairs", (0, 0, 0), BAD, id="set pairs without a stream"),
        pytest.param("proxy_get_header_map_size", (0, 64), BAD, id="size without a stream"),
        pytest.param("proxy_get_buffer_bytes", (6, 0, 9, 64, 68), OK, id="VM config"),
        pytest.param("proxy_get_buffer_bytes", (7, 0, 9, 64, 68), NOT_FOUND, id="config before configure"),
        pytest.param("proxy_get_buffer_bytes", (9, 0, 9, 64, 68), BAD, id="no such buffer"),
        pytest.param("proxy_get_buffer_bytes", (4, 0, 9, 64, 68), NOT_FOUND, id="answer without a call"),
        pytest.param("proxy_get_buffer_bytes", (6, 0, 0xFFFFFFFF, FAR, 68), MEMORY, id="bytes to nowhere"),
        pytest.param("proxy_get_buffer_status", (6, 64, 68), OK, id="length"),
        pytest.param("proxy_get_buffer_status", (6, FAR, 68), MEMORY, id="length to nowhere"),
        pytest.param("proxy_set_buffer_bytes", (6, 0, 0, TEXT, 3), BAD, id="change a config"),
        pytest.param("proxy_set_buffer_bytes", (7, 0, 0, TEXT, 3), NOT_FOUND, id="change no config"),
        pytest.param("proxy_http_call", (TEXT, 3, 0, 0, 0, 0, 0, 0, 9, 64), BAD, id="call without headers"),
        pytest.param("proxy_http_call", (TEXT, 3, 0, 0, 0, 0, 0, 0, 9, FAR), MEMORY, id="call to nowhere"),
        pytest.param(
            "proxy_grpc_call", (0, 0, TEXT, 3, TEXT, 3, 0, 0, 0, 0, 9, 64), PARSE, id="gRPC to nobody"
        ),
        pytest.param("proxy_grpc_call", (TEXT, 3, TEXT, 3, TEXT, 3, 0, 0, 0, 0, 9, 64), OK, id="gRPC"),
        pytest.param("proxy_grpc_stream", (TEXT, 3, TEXT, 3, TEXT, 3, 0, 0, 64), OK, id="gRPC stream"),
        pytest.param("proxy_grpc_send", (5, TEXT, 3, 0), BAD, id="send on a call"),
        pytest.param("proxy_grpc_send", (6, TEXT, 3, 0), NOT_FOUND, id="send on no stream"),
        pytest.param("proxy_grpc_close", (6,), NOT_FOUND, id="close no stream"),
        pytest.param("proxy_grpc_cancel", (6,), NOT_FOUND, id="cancel no stream"),
        pytest.param("proxy_get_shared_data", (TEXT, 3, 64, 68, 72), NOT_FOUND, id="no shared data"),
        pytest.param("proxy_set_shared_data", (TEXT, 3, TEXT, 3, 0), OK, id="share"),
        pytest.param("proxy_set_shared_data", (TEXT, 3, FAR, 3, 0), MEMORY, id="share nowhere"),
        pytest.param("proxy_register_shared_queue", (TEXT, 3, 64), OK, id="queue"),
        pytest.param("proxy_resolve_shared_queue", (0, 0, TEXT, 3, 64), NOT_FOUND, id="no such queue"),
        pytest.param("proxy_dequeue_shared_queue", (9, 64, 68), NOT_FOUND, id="take from no queue"),
        pytest.param("proxy_enqueue_shared_queue", (9, TEXT, 3), NOT_FOUND, id="put in no queue"),
        pytest.param("proxy_define_metric", (0, TEXT, 3, 64), OK, id="counter"),
        pytest.param("proxy_define_metric", (3, TEXT, 3, 64), BAD, id="no such type"),
        pytest.param("proxy_increment_metric", (4, 1), NOT_FOUND, id="no such counter"),
        pytest.param("proxy_increment_metric", (6, 1), BAD, id="increment a histogram"),
        pytest.param("proxy_record_metric", (6, 1), NOT_FOUND, id="no such histogram"),
        pytest.param("proxy_get_metric", (5, 64), NOT_FOUND, id="no such gauge"),
        pytest.param("proxy_get_metric", (7, 64), BAD, id="no type at all"),
        pytest.param("fd_write", (3, 64, 0, 68), 8, id="write to a file"),
        pytest.param("fd_write", (1, FAR, 1, 68), 21, id="write from nowhere"),
        pytest.param("fd_fdstat_get", (0, 64), 8, id="no standard input"),
        pytest.param("fd_prestat_get", (3, 64), 8, id="no folders"),
        pytest.param("path_open", (3, 0, TEXT, 3, 0, 0, 0, 0, 64), 44, id="no files"),
        pytest.param("clock_time_get", (2, 0, 64), 58, id="no clock of the process"),
        pytest.param("clock_time_get", (0, 0, FAR), 21, id="time to nowhere"),
        pytest.param("random_get", (64, 65537), 28, id="too much chance"),
        pytest.param("random_get", (FAR, 64), 21, id="chance to nowhere"),
        pytest.param("poll_oneoff", (0, 0, 0, 64), 0, id="poll"),
        pytest.param("sock_send", (0, 0, 0, 0, 64), 58, id="no sockets"),
        pytest.param("pthread_equal", (7, 7), 1, id="one thread"),
    ],
)
def test_a_root_context_gets_this_answer(name: str, arguments: tuple[int, ...], status: int) -> None:
    host = start(calling((name, arguments), text=b"abc"))
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
    assert host.vm.failure is None
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
