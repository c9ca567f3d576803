"""Pairs as bytes, and bytes that are none."""

import pytest

from weft.testhost.abi import decode_pairs, encode_pairs


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\1\0\0", id="half a count"),
        pytest.param(b"\1\0\0\0\1\0\0\0", id="half the lengths"),
        pytest.param(b"\xff\xff\xff\xff" + bytes(64), id="too many"),
        pytest.param(b"\1\0\0\0\1\0\0\0\1\0\0\0axb\0", id="no NUL after a name"),
        pytest.param(encode_pairs([("a", "b")])[:-1], id="no NUL at the end"),
        pytest.param(encode_pairs([("a", "b")]) + b"x", id="more than was announced"),
        pytest.param(b"\1\0\0\0\xff\xff\xff\xff\1\0\0\0a\0b\0", id="a length beyond the end"),
    ],
)
def test_malformed_pairs_count_as_none(raw: bytes) -> None:
    assert decode_pairs(raw) == ()


def test_pairs_survive_the_way_out_and_back() -> None:
    pairs = ((":path", "/"), ("a", ""), ("ü", b"\xff\xfe".decode("utf-8", "surrogateescape")))
    assert decode_pairs(encode_pairs(pairs)) == pairs
