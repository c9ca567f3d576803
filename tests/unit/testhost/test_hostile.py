"""Guests that mean harm: whatever they say, from wherever, they are answered or stopped, and others served.

What each lie is answered is Envoy's (tests/real/test_testhost_against_envoy.py); here it is only no crash, no
memory without end and no stream that hangs.
"""

from collections.abc import Sequence

import pytest

from cases.hostile_calls import DATA, LIES, RIGHT, all_calls
from modules.guests import ANSWERS, HEAP, TEXT, answering, calling, const, data, read_answers, row, start
from modules.wasm_encoder import Program, body, limits, proxy_module, section, vec
from weft.errors import FilterRefused, WeftError
from weft.testhost import GrpcReply, HeaderMap, Host, HttpStream, Limits, World
from weft.testhost.abi import Status
from weft.testhost.hostcalls import wasi
from weft.wasm import ABI_VERSIONS, CALLBACKS, HOST_FUNCTIONS

CALLBACK = "proxy_on_request_headers"
BODY = "proxy_on_request_body"
ON_HEADERS = "i32 i32 i32 -> i32"
TOO_MUCH = "stopped by weft: the code moves more bytes through the host than one callback may"
WRONG_PLACE = {"env": Status.INVALID_MEMORY_ACCESS, "wasi_unstable": wasi.FAULT}
NOT_LOOKED_AT = {"fd_fdstat_get", "fd_seek"}
"""Functions that answer well without looking, as Envoy's."""
PATH = HeaderMap([(":method", "POST"), (":path", "/"), (":authority", "t")])


def whole_stream(host: Host) -> HttpStream:
    """Everything a stream can have, in both directions."""
    stream = host.stream()
    stream.request_headers(HeaderMap(PATH), end=False)
    stream.request_body(b"abc", end=False)
    stream.request_trailers(HeaderMap([("x", "1")]))
    stream.response_headers(HeaderMap([(":status", "200")]), end=False)
    stream.response_body(b"abc", end=False)
    stream.response_trailers(HeaderMap([("x", "1")]))
    stream.abandon()
    host.settle()
    return stream


def repeating(
    name: str, *arguments: int, text: bytes = b"", allocator: bytes | None = None, during: str = CALLBACK
) -> bytes:
    """A guest that calls one function for ever when a request, or its body, comes."""
    found = row(name)
    pushed = b"".join(const(value) for value in arguments)
    drop = b"\x1a" if found.signature.results else b""
    return proxy_module(
        imports=[(found.module, found.name, str(found.signature))],
        exports={during: ON_HEADERS},
        bodies={
            "malloc": body(const(HEAP) if allocator is None else allocator),
            during: body(b"\x03\x40" + pushed + b"\x10\0" + drop + b"\x0c\0\x0b" + const(0)),
        },
        tail=data((TEXT, text)) if text else b"",
    )


def failure(module: bytes, limit: Limits | None = None) -> str:
    """In which words the guest is stopped when a request comes."""
    host = start(module, limits=limit, world=World(tracing=False))
    host.stream().request_headers(HeaderMap(PATH), end=True)
    assert host.vm.failure is not None
    return host.vm.failure.splitlines()[0].partition(" failed: ")[2]


def test_every_function_has_its_lies() -> None:
    assert set(RIGHT) == {found.name for found in HOST_FUNCTIONS}
    for found in HOST_FUNCTIONS:
        assert len(RIGHT[found.name]) == len(found.params), found.name


@pytest.mark.parametrize("abi", ABI_VERSIONS)
def test_a_place_for_an_answer_that_is_no_place_is_refused(abi: str) -> None:
    """In every function that answers the same call well when its numbers are right."""
    calls = all_calls(abi, without=NOT_LOOKED_AT)
    host = start(calling(*calls, pieces=DATA, abi=abi.replace(".", "_")))
    answers = read_answers(host, len(calls))
    well = {name for (name, numbers), answer in zip(calls, answers, strict=True)
            if numbers == RIGHT[name] and answer == 0}  # fmt: skip
    believed = [
        (name, numbers)
        for (name, numbers), answer in zip(calls, answers, strict=True)
        if name in well and answer != WRONG_PLACE[row(name).module] and lies_about_a_place(name, numbers)
    ]
    assert believed == []
    assert len(well) > 30


def lies_about_a_place(name: str, numbers: Sequence[int]) -> bool:
    """Whether a place for an answer is what is wrong."""
    pairs = zip(row(name).params, numbers, RIGHT[name], strict=True)
    return any(title.startswith("return_") and now != right for title, now, right in pairs)


@pytest.mark.parametrize("during", sorted({found.name for found in CALLBACKS if "0.2.1" in found.abis}))
def test_calls_from_any_callback_hurt_nobody(during: str) -> None:
    """Also those that make no sense there; afterwards the next stream finds a host that works."""
    module = calling(*all_calls("0.2.1"), pieces=DATA, during=during, returns=1)
    host = start(module, world=World(clusters=frozenset({"abc"}), tracing=False))
    for _ in range(2):
        assert whole_stream(host).finished
    for call in list(host.world.pending.values()):
        host.reply(call, ((":status", "200"),), b"abc")
    host.advance(1_000_000)
    host.tick()
    assert len(host.vm.contexts) == 1
    if "grpc" in during:  # which does not come by itself
        host.vm.call(host.root, during, host.root.id, 1, 1)
    host.shut_down()
    assert host.vm.failure is None


@pytest.mark.parametrize("name", ["proxy_grpc_call", "proxy_grpc_stream"])
def test_calls_that_are_half_right_hurt_nobody(name: str) -> None:
    """One number wrong, though the service names a cluster; then answers come to whatever was opened."""
    service = b"\x0a\x05\x0a\x03abc"
    right = (3072, len(service), *RIGHT[name][2:])
    calls = [(name, (*right[:at], lie, *right[at + 1 :])) for at in range(len(right)) for lie in LIES]
    module = calling((name, right), *calls, pieces=(*DATA, (3072, service)))
    host = start(module)
    answers = read_answers(host, 1 + len(calls))
    assert (answers[0], host.vm.failure) == (Status.OK, None)
    assert set(answers) == {Status.OK, Status.INVALID_MEMORY_ACCESS}
    for call in list(host.world.pending.values()):
        host.grpc_answer(call, GrpcReply(messages=(b"abc",)))
    assert (host.world.pending, host.vm.failure) == ({}, None)


@pytest.mark.parametrize("during", ["proxy_on_done", "proxy_on_log", "proxy_on_delete"])
def test_a_context_that_is_gone_is_nobody(during: str) -> None:
    """A stream remembers its number; the next one asks for it."""
    module = calling(("proxy_set_effective_context", (2,)), during=during, returns=1)
    host = start(module)
    whole_stream(host)
    assert read_answers(host, 1) == [Status.OK]
    whole_stream(host)
    assert read_answers(host, 1) == [Status.BAD_ARGUMENT]


ALLOCATORS = [
    pytest.param(const(0), Status.INVALID_MEMORY_ACCESS, None, id="gives nothing"),
    pytest.param(const(65534), Status.INVALID_MEMORY_ACCESS, None, id="gives too little"),
    pytest.param(const(0xFFFFFFFF), Status.INVALID_MEMORY_ACCESS, None, id="gives what it does not have"),
    pytest.param(const(1) + b"\x40\0" + const(16) + b"\x74", Status.OK, None, id="grows first"),
    pytest.param(b"\0", None, "Uncaught RuntimeError: unreachable", id="fails"),
    pytest.param(
        b"\x20\0\x10\2", None, "Uncaught RangeError: Maximum call stack size exceeded", id="calls itself"
    ),
    pytest.param(
        b"\x03\x40\x0c\0\x0b" + const(0),
        None,
        "stopped by weft: the code ran too long without an end",
        id="never ends",
    ),
    pytest.param(
        const(6) + const(0) + const(9) + const(64) + const(68) + b"\x10\0",
        None,
        "Uncaught Error: restricted_callback",
        id="calls the host",
    ),
]


@pytest.mark.parametrize(("allocator", "answer", "words"), ALLOCATORS)
def test_an_allocator_may_do_anything(allocator: bytes, answer: Status | None, words: str | None) -> None:
    call = "proxy_get_buffer_bytes"
    found = row(call)
    pushed = b"".join(const(value) for value in (6, 0, 9, 64, 68))
    module = proxy_module(
        imports=[("env", call, str(found.signature))],
        exports={CALLBACK: ON_HEADERS},
        bodies={
            "malloc": body(allocator),
            CALLBACK: body(const(ANSWERS) + pushed + b"\x10\0\x36\2\0" + const(0)),
        },
    )
    host = start(module, vm_config=b"abc", limits=Limits(fuel=10_000_000))
    stream = host.stream()
    stream.request_headers(HeaderMap(PATH), end=True)
    if answer is None:
        assert host.vm.failure == f"Function: malloc failed: {words}"
        assert stream.client.headers == ((":status", "503"),)
        return
    assert host.vm.failure is None
    assert read_answers(host, 1) == [answer]
    if answer is Status.OK:
        assert host.vm.memory.read(host.vm.memory.read_u32(64), 3) == b"abc"


def test_an_allocator_that_failed_is_not_called_again() -> None:
    module = repeating("proxy_get_buffer_bytes", 6, 0, 9, 64, 68, allocator=b"\0")
    host = start(module, vm_config=b"abc", limits=Limits(host=256 * 100))
    host.stream().request_headers(HeaderMap(PATH), end=True)
    assert host.world.trace.count("[host->vm] malloc(3)") == 1


IOVS = (0).to_bytes(4, "little") + (65536).to_bytes(4, "little")


@pytest.mark.parametrize(
    ("module", "words"),
    [
        pytest.param(repeating("proxy_log", 2, 0, 60000), TOO_MUCH, id="logs"),
        pytest.param(repeating("proxy_set_shared_data", 0, 3, 0, 60000, 0), TOO_MUCH, id="shares"),
        pytest.param(repeating("fd_write", 1, TEXT, 2000, 64, text=IOVS * 2000), TOO_MUCH, id="one write"),
        pytest.param(repeating("random_get", 0, 65536), TOO_MUCH, id="chance"),
        pytest.param(
            repeating("proxy_get_property", TEXT, 11, 64, 68, text=b"plugin_name"),
            "stopped by weft: the code called the host too often without an end",
            id="questions",
        ),
        pytest.param(
            repeating("proxy_add_header_map_value", 0, TEXT, 1, TEXT, 1, text=b"x"),
            "stopped by weft: more than 1024 headers, and every look at one looks at all",
            id="headers",
        ),
        pytest.param(
            repeating("proxy_replace_header_map_value", 0, 0, 60000, 0, 1), TOO_MUCH, id="a long header"
        ),
        pytest.param(
            repeating("proxy_add_header_map_value", 0, TEXT, 3, 0, 9000, text=b"via"),
            "stopped by weft: all values of via together exceed 65536 bytes",
            id="one header that grows",
        ),
    ],
)
def test_a_guest_that_wants_the_hosts_memory_is_stopped(module: bytes, words: str) -> None:
    assert failure(module, Limits(host=1 << 20)) == words


SPENT = "stopped by weft: the code called the host too often without an end"


@pytest.mark.parametrize(
    "module",
    [
        pytest.param(
            repeating("proxy_get_buffer_bytes", 0, 0, 0xFFFFFFFF, 64, 68, allocator=const(0), during=BODY),
            id="reads for no memory",
        ),
        pytest.param(
            repeating("proxy_get_header_map_pairs", 0, 64, 68, allocator=const(0)), id="lists for no memory"
        ),
        pytest.param(repeating("proxy_set_buffer_bytes", 0, 0, 0, TEXT, 1, during=BODY), id="moves"),
    ],
)
def test_work_that_leads_to_nothing_counts_too(module: bytes) -> None:
    """A call costs 256 bytes, these cost more; so fewer of them are made."""
    host = start(module, limits=Limits(host=256 * 1000))
    stream = host.stream()
    stream.request_headers(HeaderMap([*PATH, ("x", "y" * 3000)]), end=False)
    stream.request_body(bytes(24_000), end=True)
    assert host.vm.failure is not None
    assert host.vm.failure.endswith(SPENT)
    assert 5 < sum(line.startswith("[vm->host]") for line in host.world.trace) < 100


def test_a_large_body_is_read_many_times_within_the_limits() -> None:
    call = ("proxy_get_buffer_bytes", (0, 0, 0xFFFFFFFF, 64, 68))
    module = calling(*[call] * 20, during="proxy_on_request_body", returns=0)
    host = start(module, world=World(tracing=False))
    stream = host.stream()
    stream.request_headers(HeaderMap(PATH), end=False)
    stream.request_body(bytes(48_000), end=True)
    assert host.vm.failure is None
    assert len(stream.upstream.body) == 48_000


def test_a_table_grows_no_further_than_in_envoy() -> None:
    grow = b"\xd0\x70" + const(20_000_000) + b"\xfc\x0f\0"
    keep = const(ANSWERS) + grow + b"\x36\2\0" + const(0)
    functions = {"proxy_abi_version_0_2_1": "void -> void", "malloc": "i32 -> i32", CALLBACK: ON_HEADERS}
    module = Program(functions=functions, bodies={CALLBACK: body(keep)}).encode()
    at = module.index(b"\5\3\1\0\1")  # the memory section, which tables come before
    host = start(module[:at] + section(4, vec([b"\x70" + limits(1)])) + module[at:])
    host.stream().request_headers(HeaderMap(PATH), end=True)
    assert host.vm.memory.read_u32(ANSWERS) == 0xFFFFFFFF


def test_queues_that_fill_themselves_come_to_an_end() -> None:
    fill = ("proxy_enqueue_shared_queue", (1, TEXT, 1))
    module = calling(fill, during="proxy_on_queue_ready", text=b"q")
    host = start(module, world=World(tracing=False))
    host.world.queues.register("", b"q", lambda queue: host.vm.queue_ready(host.root, queue))
    host.world.soon.append(lambda: host.vm.queue_ready(host.root, 1))
    with pytest.raises(FilterRefused, match="the filter keeps filling queues without an end"):
        host.settle()


def test_callbacks_that_cause_each_other_share_what_they_may_do() -> None:
    fill = [("proxy_enqueue_shared_queue", (1, TEXT, 1))] + [("proxy_log", (2, TEXT, 1))] * 99
    host = start(
        calling(*fill, during="proxy_on_queue_ready", text=b"q"),
        limits=Limits(host=257 * 250),
        world=World(tracing=False),
    )
    host.world.queues.register("", b"q", lambda queue: host.vm.queue_ready(host.root, queue))
    host.world.soon.append(lambda: host.vm.queue_ready(host.root, 1))
    host.settle()
    assert host.vm.failure is not None
    assert host.vm.failure.endswith(SPENT)
    assert 200 < len(host.world.logs) < 250
    host.vm.failure = None
    host.vm.call(host.root, "proxy_on_queue_ready", host.root.id, 1)  # which nothing caused
    assert host.vm.failure is None


def test_a_header_of_a_test_that_is_too_long_is_its_writers_error() -> None:
    with pytest.raises(WeftError, match="all values of via together exceed 65536 bytes"):
        start(answering()).stream().request_headers(HeaderMap([("via", "v" * 40_000)] * 2), end=True)
