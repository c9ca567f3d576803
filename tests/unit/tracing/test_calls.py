"""Calls between Envoy and modules become readable. The lines are Envoy 1.40's."""

import pytest

from weft.tracing import Calls, decoded_log

PAIRS = "return_pairs=0x10, return_pairs_size=0x14"
OUT = "return_data=0x0, return_data_size=0x4"


def lines(*messages: str, thread: str = "1", calls: Calls | None = None) -> list[str | None]:
    calls = calls or Calls()
    return [calls.line(message, thread) for message in messages]


def test_calls_nest_and_numbers_have_names() -> None:
    assert lines(
        "[host->vm] proxy_on_configure(1, 5)",
        "[vm->host] env.proxy_get_buffer_bytes(7, 0, 5, 0, 4)",
        "[host->vm] malloc(5)",
        "[host<-vm] malloc return: 1024",
        "[vm<-host] env.proxy_get_buffer_bytes return: 0",
        "[host<-vm] proxy_on_configure return: 1",
    ) == [
        "> proxy_on_configure(root_context=1, configuration_size=5)",
        f"    proxy_get_buffer_bytes(buffer=plugin configuration, offset=0, size=5, {OUT})",
        "        malloc(5)",
        "        = 1024",
        "    = ok",
        "< 1",
    ]


@pytest.mark.parametrize(
    ("call", "returned", "shown"),
    [
        (
            "env.proxy_get_header_map_pairs(6, 16, 20)",
            "env.proxy_get_header_map_pairs return: 1",
            f"proxy_get_header_map_pairs(map=call headers, {PAIRS}) = not found",
        ),
        (
            "env.proxy_log(9, 16, 5)",
            "env.proxy_log return: 99",
            "proxy_log(level=9, message=0x10, message_size=5) = 99",
        ),
        ("env.proxy_done()", "env.proxy_done return: 0", "proxy_done() = ok"),
        ("env.unheard_of(1, -2)", "env.unheard_of return: void", "unheard_of(1, -2) = void"),
        (
            "wasi_snapshot_preview1.fd_write(1, 16, 1, 32)",
            "wasi_snapshot_preview1.fd_write return: 0",
            "fd_write(fd=1, iovs=16, iovs_len=1, return_nwritten=0x20) = 0",
        ),
        (
            "env.proxy_increment_metric(3, -1)",
            "env.proxy_increment_metric return: 0",
            "proxy_increment_metric(metric=3, offset=-1) = ok",
        ),
    ],
)
def test_a_call_to_envoy_shows_what_it_asks_and_gets(call: str, returned: str, shown: str) -> None:
    asked, got = lines(f"[vm->host] {call}", f"[vm<-host] {returned}")
    assert f"{(asked or '').removeprefix('> ')} {(got or '').replace('<', '=')}" == shown


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("proxy_on_request_headers", "0", "< continue"),
        ("proxy_on_response_body", "1", "< pause"),
        ("proxy_on_request_headers", "7", "< 7"),
        ("proxy_on_vm_start", "1", "< 1"),
        ("proxy_on_log", "void", "< void"),
    ],
)
def test_what_a_callback_gives_back_has_a_name(name: str, value: str, shown: str) -> None:
    assert lines(f"[host->vm] {name}(1)", f"[host<-vm] {name} return: {value}")[1] == shown


def test_each_thread_nests_on_its_own() -> None:
    calls = Calls()
    lines("[host->vm] proxy_on_tick(1)", thread="1", calls=calls)
    assert lines("[host->vm] proxy_on_tick(1)", thread="2", calls=calls) == [
        "> proxy_on_tick(root_context=1)"
    ]
    assert lines("[vm->host] env.proxy_done()", thread="1", calls=calls) == ["    proxy_done()"]


def test_a_return_whose_call_was_missed_does_no_harm() -> None:
    assert lines("[host<-vm] malloc return: 1", "[host->vm] malloc(1)") == ["< 1", "> malloc(1)"]


@pytest.mark.parametrize(
    ("call", "shown"),
    [
        ("proxy_on_request_headers(2, 8, 1)", "context=2, headers=8, end_of_stream=true"),
        ("proxy_on_request_headers(2, 8)", "context=2, headers=8"),
        ("proxy_on_response_body(2, 100, 0)", "context=2, size=100, end_of_stream=false"),
        ("proxy_on_downstream_connection_close(2, 2)", "context=2, peer=remote"),
        ("proxy_on_downstream_connection_close(2, 9)", "context=2, peer=9"),
        ("proxy_on_tick(1, 2)", "root_context=1, 2"),
    ],
)
def test_arguments_of_callbacks_have_names_and_values(call: str, shown: str) -> None:
    assert lines(f"[host->vm] {call}") == [f"> {call.partition('(')[0]}({shown})"]


def test_after_a_trap_nothing_is_open_any_more() -> None:
    calls = ("[host->vm] proxy_on_tick(1)", "[vm->host] env.proxy_done()")
    trap = "Function: proxy_on_tick failed: Uncaught RuntimeError: unreachable"
    assert list(decoded_log([*calls, trap, *calls[:1]]))[2:] == [trap, "> proxy_on_tick(root_context=1)"]


@pytest.mark.parametrize("message", ["wasm log: x", "", "Function: f failed"])
def test_other_messages_are_no_calls(message: str) -> None:
    assert Calls().line(message) is None


# As Envoy 1.40 writes it, two threads at once.
LOG = """\
[2026-11-20 22:12:25.206][1][trace][wasm] [source/a/wasm_vm.h:12] [host->vm] proxy_on_log(2)
[2026-11-20 22:12:25.206][2][trace][wasm] [source/a/wasm_vm.h:12] [host->vm] proxy_on_tick(1)
[2026-11-20 22:12:25.206][1][trace][wasm] [source/a/wasm.cc:9] [vm->host] env.proxy_log(2, 16, 2)
[2026-11-20 22:12:25.206][1][info][wasm] [source/a/context.cc:1] wasm log a: hi
[2026-11-20 22:12:25.206][1][trace][wasm] [source/a/wasm.cc:9] [vm<-host] env.proxy_log return: 0
[2026-11-20 22:12:25.206][1][trace][wasm] [source/a/wasm_vm.h:12] [host<-vm] proxy_on_log return: void
  0:  0x41c - deep3
"""
READABLE = """\
[2026-11-20 22:12:25.206][1][trace][wasm] > proxy_on_log(context=2)
[2026-11-20 22:12:25.206][2][trace][wasm] > proxy_on_tick(root_context=1)
[2026-11-20 22:12:25.206][1][trace][wasm]     proxy_log(level=info, message=0x10, message_size=2)
[2026-11-20 22:12:25.206][1][info][wasm] [source/a/context.cc:1] wasm log a: hi
[2026-11-20 22:12:25.206][1][trace][wasm]     = ok
[2026-11-20 22:12:25.206][1][trace][wasm] < void
  0:  0x41c - deep3
"""


def test_a_log_of_envoys_becomes_readable_and_its_other_lines_stay() -> None:
    assert list(decoded_log(LOG.splitlines())) == READABLE.splitlines()


def test_a_trace_without_a_logs_heads_becomes_readable_too() -> None:
    bare = [line.split("] ", 2)[2] for line in LOG.splitlines()[:1]]
    assert list(decoded_log([*bare, "wasm log a: hi"])) == ["> proxy_on_log(context=2)", "wasm log a: hi"]
