"""Header maps, and the headers of local responses, as a real test saw Envoy keep them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.testhost.abi import Pairs
from weft.testhost.headers import HeaderMap, RequestHeaders, ResponseHeaders, ResponseTrailers, local_response
from weft.testhost.headers.joined import REQUEST, RESPONSE

FIELDS = st.lists(
    st.tuples(st.sampled_from([":path", ":x", "a", "A", "host", "Host", "etag", "via"]), st.text(max_size=2))
)


def test_order_and_duplicates_are_kept_names_are_lower_case_and_pseudo_headers_come_first() -> None:
    headers = ResponseHeaders([("X-A", "1"), ("vary", "b"), (":status", "200"), ("x-a", "2"), ("etag", "a")])
    assert list(headers) == [
        (":status", "200"), ("x-a", "1"), ("vary", "b"), ("x-a", "2"), ("etag", "a"),
    ]  # fmt: skip
    assert headers.get("X-A") == "1"
    headers.replace("X-a", "3")
    assert list(headers) == [(":status", "200"), ("vary", "b"), ("etag", "a"), ("x-a", "3")]
    headers.remove("X-A")
    assert headers.get("x-a") is None
    assert len(headers) == 3
    assert headers.size == sum(len(name) + len(value) for name, value in headers)


@pytest.mark.parametrize(
    ("kind", "name", "values"),
    [
        pytest.param(RequestHeaders, "accept", ["1,2"], id="a request's name in a request"),
        pytest.param(ResponseHeaders, "accept", ["1", "2"], id="a request's name in a response"),
        pytest.param(ResponseHeaders, "etag", ["1,2"], id="a response's name in a response"),
        pytest.param(RequestHeaders, "etag", ["1", "2"], id="a response's name in a request"),
        pytest.param(RequestHeaders, "content-type", ["1,2"], id="both in a request"),
        pytest.param(ResponseHeaders, "content-type", ["1,2"], id="both in a response"),
        pytest.param(HeaderMap, "content-type", ["1", "2"], id="neither in a request's trailers"),
        pytest.param(ResponseTrailers, "content-type", ["1", "2"], id="nor in a response's"),
        pytest.param(ResponseTrailers, "grpc-status", ["1,2"], id="gRPC in a response's trailers"),
        pytest.param(RequestHeaders, "cookie", ["1", "2"], id="cookies"),
        pytest.param(ResponseHeaders, "set-cookie", ["1", "2"], id="new cookies"),
    ],
)
def test_whether_a_second_value_is_joined_depends_on_the_map(
    kind: type[HeaderMap], name: str, values: list[str]
) -> None:
    expected = tuple((name, value) for value in values)
    assert kind([(name, "1"), (name.upper(), "2")]).pairs == expected
    added = kind([(name, "1")])
    added.add(name, "2")
    assert added.pairs == expected


def test_an_empty_value_is_joined_without_a_comma() -> None:
    headers = ResponseHeaders()
    for value in ("", "a", "", "b"):
        headers.add("server", value)
    assert headers.pairs == (("server", "a,b"),)


def test_what_a_request_calls_host_is_its_authority() -> None:
    headers = RequestHeaders([(":path", "/"), ("Host", "a")])
    assert list(headers) == [(":path", "/"), (":authority", "a")]
    assert headers.get("host") == "a"
    headers.replace("HOST", "b")
    assert headers.get(":authority") == "b"
    headers.remove("host")
    assert list(headers) == [(":path", "/")]
    assert ResponseHeaders([("host", "a")]).pairs == (("host", "a"),)


def test_what_is_set_stays_where_it_is() -> None:
    headers = ResponseHeaders([("server", "a"), ("x", "1")])
    headers.set("server", "b")
    headers.set("via", "c")
    assert headers.pairs == (("server", "b"), ("x", "1"), ("via", "c"))


@given(FIELDS)
def test_a_map_is_made_at_once_as_it_is_made_one_by_one(fields: list[tuple[str, str]]) -> None:
    for kind in (HeaderMap, RequestHeaders, ResponseHeaders):
        grown = kind()
        for name, value in fields:
            grown.add(name, value)
        assert kind(fields).pairs == grown.pairs


def test_names_are_known_once_and_in_lower_case() -> None:
    for names in (REQUEST, RESPONSE):
        assert names == {name.lower() for name in names}
    assert ":status" not in REQUEST
    assert RESPONSE & {":path", ":method", "set-cookie"} == set()


GRPC = "application/grpc"


@pytest.mark.parametrize(
    ("request_", "given", "expected", "body"),
    [
        pytest.param(
            {},
            ((":status", "299"), ("content-length", "9"), ("a", "1")),
            ((":status", "403"), ("content-length", "3"), ("a", "1"), ("content-type", "text/plain")),
            b"a~%",
            id="a status or length of its own is not taken",
        ),
        pytest.param(
            {":method": "HEAD"},
            (("content-type", "a/b"),),
            ((":status", "403"), ("content-type", "a/b"), ("content-length", "3")),
            b"",
            id="HEAD is told the length",
        ),
        pytest.param(
            {"content-type": GRPC},
            (("content-length", "9"), ("content-type", "a/b")),
            ((":status", "200"), ("content-type", GRPC), ("grpc-status", "7"), ("grpc-message", "a%7E%25")),
            b"",
            id="gRPC",
        ),
        pytest.param(
            {"content-type": f"{GRPC}+json"},
            (("grpc-status", "3"), ("grpc-message", "m")),
            ((":status", "200"), ("grpc-status", "3"), ("grpc-message", "a%7E%25"), ("content-type", GRPC)),
            b"",
            id="gRPC keeps a status, not a message",
        ),
        pytest.param(
            {"content-type": GRPC, ":method": "HEAD"},
            (),
            ((":status", "200"), ("content-type", GRPC), ("grpc-status", "7")),
            b"",
            id="gRPC to HEAD",
        ),
    ],
)
def test_a_local_response(request_: dict[str, str], given: Pairs, expected: Pairs, body: bytes) -> None:
    made, text = local_response(RequestHeaders(request_.items()), 403, b"a~%", given, None)
    assert (made.pairs, text) == (expected, body)


def test_a_grpc_message_may_be_any_bytes() -> None:
    made, _ = local_response(RequestHeaders([("content-type", GRPC)]), 403, b"\xff\0\xc3\xa4", (), None)
    assert made.get("grpc-message") == "%FF%00%C3%A4"
