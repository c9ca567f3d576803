"""Names, producers and features are taken where they can be read, and noted where not."""

import pytest

from modules.wasm_encoder import (
    custom,
    module,
    name,
    name_section,
    producers,
    section,
    target_features,
    u,
    vec,
)
from weft.wasm import read_module


def test_names_are_read() -> None:
    read = read_module(module(name_section({0: "main", 300: "größer"}, module_name="filter")))
    assert (read.name, read.function_names, read.notes) == ("filter", {0: "main", 300: "größer"}, {})


def test_producers_are_read() -> None:
    fields = {"language": [("C11", "")], "processed-by": [("clang", "19.1"), ("rustc", "1.96")]}
    read = read_module(module(producers(fields)))
    assert read.producers == {field: tuple(tools) for field, tools in fields.items()}


def test_target_features_are_read() -> None:
    assert read_module(module(target_features("+simd128", "-atomics"))).target_features == (
        "+simd128",
        "-atomics",
    )


def test_other_subsections_of_names_are_left_alone() -> None:
    locals_ = section(2, b"\xff\xff")
    read = read_module(module(custom("name", locals_ + section(1, vec([u(3) + name("f")])))))
    assert (read.function_names, read.notes) == ({3: "f"}, {})


def test_a_name_that_is_not_text_is_shown_as_well_as_can_be() -> None:
    assert read_module(module(name_section({0: b"a\xffb"}))).function_names == {0: "a\ufffdb"}


def test_of_two_sections_with_one_title_the_first_counts() -> None:
    read = read_module(
        module(name_section({0: "first"}), custom("name", b"\xff"), name_section({0: "second"}))
    )
    assert (read.function_names, read.notes) == ({0: "first"}, {})


def test_of_two_names_for_one_function_the_first_counts() -> None:
    twice = section(1, vec([u(0) + name("first"), u(0) + name("second")]))
    assert read_module(module(custom("name", twice))).function_names == {0: "first"}


@pytest.mark.parametrize(
    ("title", "payload", "note"),
    [
        pytest.param(
            "name", b"\x01\x09\0", "byte 16 (0x10): subsection of 9 bytes, but only 1 are left", id="frame"
        ),
        pytest.param(
            "name",
            section(1, u(9)),
            "byte 17 (0x11): 9 function names cannot stand in the 0 bytes left",
            id="absurd count of names",
        ),
        pytest.param(
            "name",
            section(1, u(1) + u(0) + u(5) + b"ab"),
            "byte 19 (0x13): function name of 5 bytes, but only 2 are left",
            id="name beyond its subsection",
        ),
        pytest.param(
            "name",
            section(1, u(0) + b"x"),
            "byte 18 (0x12): 1 bytes too many at the end",
            id="names left over",
        ),
        pytest.param("producers", b"\xff", "byte 21 (0x15): ends too early", id="producers"),
        pytest.param(
            "target_features",
            vec([b"+" + name(b"\xff")]),
            "byte 29 (0x1d): feature is not UTF-8",
            id="features",
        ),
    ],
)
def test_what_cannot_be_read_is_a_note_and_no_error(title: str, payload: bytes, note: str) -> None:
    assert read_module(module(custom(title, payload))).notes == {title: note}


def test_custom_sections_nobody_knows_are_listed_only() -> None:
    read = read_module(module(custom(".debug_info", b"\xff" * 9)))
    assert [section.name for section in read.sections] == [".debug_info"]
    assert read.notes == {}
