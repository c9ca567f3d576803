"""Envoy's log lines become records, however they arrive in pieces."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from weft.envoy.logs import FilterLine, LogParser, Record, filter_line, is_at_least
from weft.mesh import Plugin

LOG = b"""\
[2026-11-20 22:12:25.206][19939][info][wasm] [source/wasm/context.cc:1151] wasm log r a: ready
[2026-11-20 22:12:25.207][19941][error][wasm] [wasm_vm.cc:38] Function: proxy_on_configure failed: Uncaught
Proxy-Wasm plugin in-VM backtrace:
  0:  0x1cf - fail_on_purpose

  1:  0x189 - proxy_on_configure
[2026-11-20 22:12:25.208][19939][critical][main] [source/server.cc:449] error `no` initializing config 'f'
"""
RECORDS = [
    Record("info", "wasm", "wasm log r a: ready", "19939"),
    Record(
        "error",
        "wasm",
        "Function: proxy_on_configure failed: Uncaught\n"
        "Proxy-Wasm plugin in-VM backtrace:\n  0:  0x1cf - fail_on_purpose\n  1:  0x189 - proxy_on_configure",
        "19941",
    ),
    Record("critical", "main", "error `no` initializing config 'f'", "19939"),
]


def parse(*pieces: bytes) -> list[Record]:
    parser = LogParser()
    return [record for piece in pieces for record in parser.feed(piece)] + parser.flush()


def test_a_log_becomes_records_with_their_backtraces() -> None:
    assert parse(LOG) == RECORDS


@given(some.lists(some.integers(0, len(LOG)), max_size=8))
def test_the_pieces_do_not_matter(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(LOG)]
    assert parse(*(LOG[a:b] for a, b in pairwise(edges))) == RECORDS


def test_the_last_record_is_held_until_it_is_known_to_be_whole() -> None:
    parser = LogParser()
    first, second = LOG.splitlines(keepends=True)[:2]
    assert parser.feed(first) == []
    assert parser.holds
    assert parser.feed(second) == RECORDS[:1]
    assert [record.level for record in parser.flush()] == ["error"]
    assert parser.flush() == []


def test_lines_that_are_no_log_lines_are_kept_too() -> None:
    assert parse(b"PARSE ERROR: Argument: --x\n\n  no match\n") == [
        Record("info", "", "PARSE ERROR: Argument: --x"),
        Record("info", "", "  no match"),
    ]


def test_an_unfinished_last_line_is_not_lost() -> None:
    assert parse(b"Segmentation fault") == [Record("info", "", "Segmentation fault")]


def test_protobufs_noise_is_taken_out() -> None:
    line = b"[2026-11-20 22:12:25.208][1][critical][main] [a/b.cc:4] in 'goo.gle/debugstr   \n  f.json'\n"
    [record] = parse(line)
    assert record.message == "in '\n  f.json'"


def test_a_message_without_a_source_place_is_read_too() -> None:
    [record] = parse(b"[2026-11-20 22:12:25.208][1][warning][config] [x] y\n")
    assert record == Record("warning", "config", "[x] y", "1")


def test_an_endless_record_is_cut_and_the_next_one_is_read() -> None:
    head = LOG.splitlines(keepends=True)[0]
    records = parse(head, *[b"x" * 1000 + b"\n"] * 1000, head)
    assert len(records) == 2
    assert 64 * 1024 < len(records[0].message) < 70 * 1024
    assert records[1] == RECORDS[0]


def test_an_endless_line_does_not_fill_the_memory() -> None:
    parser = LogParser()
    for _ in range(100):
        parser.feed(b"x" * 10_000)
    assert sum(len(record.message) for record in parser.flush()) < 100_000


@given(some.binary())
def test_any_bytes_are_read(data: bytes) -> None:
    assert all(isinstance(record, Record) for record in parse(data))


A = Plugin(id="a", module="/a")
B = Plugin(id="b", module="/b", root_id="root: b")


@pytest.mark.parametrize(
    ("message", "spoken"),
    [
        pytest.param("wasm log a: words", FilterLine("a", "info", "words"), id="root context"),
        pytest.param("wasm log a a: words", FilterLine("a", "info", "words"), id="stream context"),
        pytest.param("wasm log root: b b: c: d", FilterLine("b", "info", "c: d"), id="colon in the root id"),
        pytest.param("wasm log b root: b b: x\ny", FilterLine("b", "info", "x\ny"), id="two lines"),
        pytest.param("wasm log other vm: x: y", FilterLine("other vm", "info", "x: y"), id="not one of ours"),
        pytest.param("wasm log: x", FilterLine("filter", "info", "x"), id="nameless"),
        pytest.param("Wasm VM failed x", None, id="Envoy's own"),
    ],
)
def test_a_filters_own_words_are_told_from_envoys(message: str, spoken: FilterLine | None) -> None:
    assert filter_line(Record("info", "wasm", message), [A, B]) == spoken


def test_only_the_wasm_component_speaks_for_filters() -> None:
    assert filter_line(Record("info", "main", "wasm log a: words"), [A]) is None


@pytest.mark.parametrize(
    ("level", "threshold", "expected"),
    [
        ("error", "error", True),
        ("critical", "error", True),
        ("warning", "error", False),
        ("odd", "error", True),
    ],
)
def test_levels_are_ordered(level: str, threshold: str, expected: bool) -> None:
    assert is_at_least(level, threshold) is expected
