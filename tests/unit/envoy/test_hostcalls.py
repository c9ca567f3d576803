"""Calls between Envoy and modules become readable. The lines are Envoy 1.40's."""

import pytest

from weft.envoy.hostcalls import HostCalls
from weft.envoy.logs import Record

PAIRS = "return_pairs=0x10, return_pairs_size=0x14"
OUT = "return_data=0x0, return_data_size=0x4"


def lines(*messages: str, thread: str = "1", calls: HostCalls | None = None) -> list[str | None]:
    calls = calls or HostCalls()
    return [calls.line(Record("trace", "wasm", message, thread)) for message in messages]


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
    calls = HostCalls()
    lines("[host->vm] proxy_on_tick(1)", thread="1", calls=calls)
    assert lines("[host->vm] proxy_on_tick(1)", thread="2", calls=calls) == [
        "> proxy_on_tick(root_context=1)"
    ]
    assert lines("[vm->host] env.proxy_done()", thread="1", calls=calls) == ["    proxy_done()"]


def test_a_return_whose_call_was_missed_does_no_harm() -> None:
    assert lines("[host<-vm] malloc return: 1", "[host->vm] malloc(1)") == ["< 1", "> malloc(1)"]


@pytest.mark.parametrize("record", [Record("trace", "http", "[host->vm] f(1)"), Record("info", "wasm", "x")])
def test_other_records_are_no_calls(record: Record) -> None:
    assert HostCalls().line(record) is None
