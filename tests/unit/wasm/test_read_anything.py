"""Whatever the bytes are: a module or ``ModuleInvalid``, in memory that grows no faster than the input."""

import contextlib
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases.loadability import CASES
from modules.wasm_encoder import (
    HEADER,
    custom,
    function_type,
    module,
    name,
    name_section,
    producers,
    section,
    target_features,
    u,
    vec,
)
from weft.symbols import Symbols, frames_in
from weft.wasm import ModuleInvalid, describe, loadability, read_module

SEEDS = [case.data for case in CASES] + [
    module(
        section(1, vec([b"\x4e" + vec([b"\x50\0\x5f" + vec([b"\x7f\1"]), b"\x5e\x63\0\1"])])),
        section(6, vec([b"\x7b\0\xfd\x0c" + bytes(16) + b"\x0b", b"\x64\0\0\xfb\1\0\x0b"])),
        name_section({0: "f", 1: "g"}, module_name="m"),
        producers({"language": [("C", "11")]}),
        target_features("+simd128"),
    )
]
patient = settings(deadline=None)


def read_or_refuse(data: bytes) -> None:
    """Everything weft does with foreign bytes."""
    with contextlib.suppress(ModuleInvalid):
        read = read_module(data)
        describe(read)
        loadability(read)
        symbols = Symbols(data, read)
        for offset in (0, len(data) // 2, len(data)):
            symbols.at(offset)


@patient
@given(st.binary(max_size=300))
def test_random_bytes(data: bytes) -> None:
    read_or_refuse(data)
    read_or_refuse(HEADER + data)


@patient
@given(st.lists(st.tuples(st.integers(0, 16), st.binary(max_size=40)), max_size=12))
def test_random_sections(sections: list[tuple[int, bytes]]) -> None:
    read_or_refuse(module(*(section(number, payload) for number, payload in sections)))


@patient
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3), st.binary(max_size=6)), min_size=1, max_size=6),
)
def test_mutated_modules(seed: bytes, mutations: list[tuple[float, int, bytes]]) -> None:
    data = bytearray(seed)
    for place, removed, inserted in mutations:
        at = int(place * len(data))
        data[at : at + removed] = inserted
    read_or_refuse(bytes(data))


@patient
@given(st.sampled_from(SEEDS), st.sampled_from(SEEDS), st.floats(0, 1), st.floats(0, 1))
def test_modules_glued_together(one: bytes, other: bytes, end: float, start: float) -> None:
    read_or_refuse(one[: int(end * len(one))] + other[int(start * len(other)) :])


@pytest.mark.parametrize("seed", SEEDS[-3:], ids=["small", "no memory", "all kinds of sections"])
def test_modules_cut_at_every_byte(seed: bytes) -> None:
    for end in range(len(seed) + 1):
        read_or_refuse(seed[:end])


@patient
@given(st.text())
def test_any_log_has_frames_or_none(text: str) -> None:
    assert all(frame.offset >= 0 for frame in frames_in(text))


def peak_memory(data: bytes) -> int:
    tracemalloc.start()
    try:
        read_or_refuse(data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("number", range(14))
def test_a_lie_about_a_count_costs_nothing(number: int) -> None:
    assert peak_memory(module(section(number, u(2**32 - 1) + bytes(64)))) < 100_000


DENSE = {
    "types": section(1, vec([function_type("void -> void")] * 30_000)),
    "groups of types": section(1, vec([b"\x4e\0"] * 50_000)),
    "structs": section(1, vec([b"\x5f\0"] * 50_000)),
    "supertypes": section(1, vec([b"\x50" + vec([u(0)] * 100_000) + b"\x5f\0"])),
    "memories": section(5, vec([b"\0\0"] * 50_000)),
    "globals": section(6, vec([b"\x7f\0\x0b"] * 30_000)),
    "empty custom sections": custom("") * 9_000,
    "names": name_section(dict.fromkeys(range(30_000), "")),
    "name sections": custom("name") * 9_000,
    "producers": producers({str(i): [("", "")] for i in range(9_000)}),
    "features": target_features(*["+"] * 9_000),
    "functions": section(1, vec([function_type("void -> void")]))
    + section(3, vec([u(0)] * 30_000))
    + section(10, vec([name(b"")] * 30_000)),
}


@pytest.mark.parametrize("dense", DENSE.values(), ids=DENSE)
def test_memory_grows_with_the_input_only(dense: bytes) -> None:
    data = HEADER + dense
    assert peak_memory(data) < 100 * len(data)
