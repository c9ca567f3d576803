"""HTTP/2's headers: the examples of RFC 7541, and what its encoder and ours have in common."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.stage.hpack import Decoder, encode
from weft.stage.huffman import unpack

ANY_TEXT = st.binary().map(lambda data: data.decode("utf-8", "surrogateescape"))

# Appendix C.4: requests with Huffman coding, one after the other on a connection.
REQUESTS = [
    (
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        {":method": "GET", ":scheme": "http", ":path": "/", ":authority": "www.example.com"},
    ),
    (
        "8286 84be 5886 a8eb 1064 9cbf",
        {
            ":method": "GET", ":scheme": "http", ":path": "/", ":authority": "www.example.com",
            "cache-control": "no-cache",
        },
    ),
    (
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
        {
            ":method": "GET", ":scheme": "https", ":path": "/index.html", ":authority": "www.example.com",
            "custom-key": "custom-value",
        },
    ),
]  # fmt: skip
# Appendix C.6: responses, with a table of 256 bytes that drops its oldest entries.
RESPONSES = [
    (
        """3fe1 01 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b
        ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3""",
        {
            ":status": "302", "cache-control": "private", "date": "Mon, 21 Oct 2013 20:13:21 GMT",
            "location": "https://www.example.com",
        },
    ),
    (
        "4883 640e ffc1 c0bf",
        {
            ":status": "307", "cache-control": "private", "date": "Mon, 21 Oct 2013 20:13:21 GMT",
            "location": "https://www.example.com",
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize("blocks", [REQUESTS, RESPONSES], ids=["requests", "responses"])
def test_the_examples_of_the_rfc_are_read(blocks: list[tuple[str, dict[str, str]]]) -> None:
    decoder = Decoder()
    assert [dict(decoder.decode(bytes.fromhex(block))) for block, _ in blocks] == [
        headers for _, headers in blocks
    ]


@given(st.lists(st.tuples(ANY_TEXT, ANY_TEXT)))
def test_what_is_written_is_read_back(pairs: list[tuple[str, str]]) -> None:
    assert Decoder().decode(encode(pairs)) == tuple(pairs)


def test_a_long_text_is_written_with_its_length_in_several_bytes() -> None:
    pairs = (("x", "y" * 5000),)
    assert Decoder().decode(encode(pairs)) == pairs


@pytest.mark.parametrize(
    "block",
    [
        pytest.param("80", id="entry zero"),
        pytest.param("be", id="an entry that is not there"),
        pytest.param("0005 61", id="a name that is cut off"),
        pytest.param("00", id="a field that is cut off"),
        pytest.param("7f", id="a number that is cut off"),
    ],
)
def test_a_block_that_is_none_is_refused(block: str) -> None:
    with pytest.raises(ValueError, match="a block of headers ends too soon, or names no entry"):
        Decoder().decode(bytes.fromhex(block))


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        pytest.param("ffffffff", "the end of a text within it", id="the end's own code"),
        pytest.param("ff", "not a Huffman code", id="a byte that fills nothing up"),
        pytest.param("18", "not a Huffman code", id="filled up with zeros"),
    ],
)
def test_what_is_no_huffman_code_is_refused(data: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        unpack(bytes.fromhex(data))


@given(st.binary())
def test_any_bytes_are_a_text_or_refused(data: bytes) -> None:
    try:
        unpack(data)
        Decoder().decode(data)
    except ValueError:
        pass
