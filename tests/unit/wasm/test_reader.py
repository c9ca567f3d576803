"""Numbers and names, at any width the format allows and no other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.wasm_encoder import name, s, u
from weft.wasm.invalid import ModuleInvalid
from weft.wasm.limits import MAX_NAME_BYTES
from weft.wasm.reader import Reader

BEFORE = b"\xff\xff\xff"  # so that offsets are not counted from zero


def reader(data: bytes) -> Reader:
    return Reader(BEFORE + data + b"\xff", len(BEFORE), len(BEFORE + data), "test section")


def complaint(data: bytes, read: str, *arguments: object) -> tuple[int, str]:
    with pytest.raises(ModuleInvalid) as caught:
        getattr(reader(data), read)(*arguments)
    assert caught.value.section == "test section"
    return caught.value.offset - len(BEFORE), caught.value.problem


@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_every_32_bit_number_comes_back_however_padded(value: int, width: int) -> None:
    r = reader(u(value, width=width))
    assert (r.u32(), r.left) == (value, 0)


@given(st.integers(0, 2**64 - 1), st.integers(1, 10))
def test_every_64_bit_number_comes_back_however_padded(value: int, width: int) -> None:
    r = reader(u(value, width=width))
    assert (r.unsigned(64), r.left) == (value, 0)


@given(st.data(), st.sampled_from([32, 33, 64]))
def test_every_signed_number_comes_back(data: st.DataObject, bits: int) -> None:
    value = data.draw(st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1))
    r = reader(s(value))
    assert (r.signed(bits), r.left) == (value, 0)


@pytest.mark.parametrize(
    ("data", "bits", "problem"),
    [
        pytest.param(b"", 32, (0, "ends too early"), id="nothing"),
        pytest.param(b"\x80\x80", 32, (2, "ends too early"), id="cut short"),
        pytest.param(
            b"\x80" * 5 + b"\0", 32, (0, "number is longer than 5 bytes"), id="six bytes for 32 bits"
        ),
        pytest.param(b"\xff\xff\xff\xff\x10", 32, (0, "number does not fit into 32 bits"), id="33rd bit"),
        pytest.param(
            b"\x80" * 10 + b"\0", 64, (0, "number is longer than 10 bytes"), id="eleven for 64 bits"
        ),
        pytest.param(b"\xff" * 9 + b"\x02", 64, (0, "number does not fit into 64 bits"), id="65th bit"),
    ],
)
def test_an_unsigned_number_must_fit(data: bytes, bits: int, problem: tuple[int, str]) -> None:
    assert complaint(data, "unsigned", bits) == problem


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        pytest.param(b"\xff", (1, "ends too early"), id="cut short"),
        pytest.param(s(2**31), (0, "number does not fit into 32 bits"), id="one too many"),
        pytest.param(s(-(2**31) - 1), (0, "number does not fit into 32 bits"), id="one too few"),
        pytest.param(b"\x80" * 5 + b"\0", (0, "number is longer than 5 bytes"), id="six bytes"),
    ],
)
def test_a_signed_number_must_fit(data: bytes, problem: tuple[int, str]) -> None:
    assert complaint(data, "signed", 32) == problem


@given(st.text(max_size=50))
def test_every_name_comes_back(text: str) -> None:
    r = reader(name(text))
    assert (r.name("name"), r.left) == (text, 0)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        pytest.param(b"\x05ab", (0, "name of 5 bytes, but only 2 are left"), id="longer than the section"),
        pytest.param(name(b"ab\xff"), (3, "name is not UTF-8"), id="not text"),
        pytest.param(name(b"\xed\xa0\x80"), (1, "name is not UTF-8"), id="a surrogate"),
        pytest.param(
            u(MAX_NAME_BYTES + 1), (0, "name of 100001 bytes is longer than the 100000 allowed"), id="a novel"
        ),
    ],
)
def test_a_name_must_be_there_and_be_text(data: bytes, problem: tuple[int, str]) -> None:
    assert complaint(data, "name", "name") == problem


def test_a_count_must_fit_into_what_is_left() -> None:
    assert complaint(u(9) + bytes(8), "count", "types", 100) == (
        0,
        "9 types cannot stand in the 8 bytes left",
    )


def test_a_count_must_be_allowed() -> None:
    assert complaint(u(9) + bytes(9), "count", "types", 8) == (0, "9 types are more than the 8 allowed")


def test_what_is_left_over_is_refused() -> None:
    assert complaint(b"\0\0", "finish") == (0, "2 bytes too many at the end")


def test_nothing_is_read_beyond_the_end_of_the_section() -> None:
    r = reader(b"\x01")
    assert r.byte() == 1
    with pytest.raises(ModuleInvalid):
        r.byte()
