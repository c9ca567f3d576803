"""Which steps can follow which; each table row is a story, and what of it can be."""

import pytest

from weft.fuzzing.grammar import sound
from weft.scenario import parse, text_of


@pytest.mark.parametrize(
    ("steps", "kept"),
    [
        pytest.param("[{response: {}}]", "[]", id="no response before a request"),
        pytest.param(
            "[{request: {}}, {response: {}}, {response: {}}]",
            "[{request: {}}, {response: {}}]",
            id="one response",
        ),
        pytest.param("[{request: {}}, {request: {body: a}}]", "[{request: {}}]", id="one request"),
        pytest.param("[{request: {}}, {request_body: {body: a}}]", "[{request: {}}]", id="it is whole"),
        pytest.param(
            "[{request: {open: true}}, {request_body: {body: a}}, {request_body: {body: b}}]",
            "[{request: {open: true}}, {request_body: {body: a}}]",
            id="more until it ends",
        ),
        pytest.param(
            "[{request: {}}, {response_body: {body: a}}, {response: {open: true}}, {response_body: {}}]",
            "[{request: {}}, {response: {open: true}}, {response_body: {}}]",
            id="no body before its response",
        ),
        pytest.param(
            "[{request: {}}, {disconnect: true}, {response: {}}, {disconnect: true}]",
            "[{request: {}}, {disconnect: true}]",
            id="nothing after the client went",
        ),
        pytest.param(
            "[{request: {headers: {':method': HEAD}}}, {response: {body: a, trailers: {t: x}}}]",
            "[{request: {headers: {':method': HEAD}}}, {response: {}}]",
            id="HEAD has no body",
        ),
        pytest.param(
            "[{request: {}}, {response: {status: 204, chunks: [a], open: true}}, {response_body: {}}]",
            "[{request: {}}, {response: {status: 204}}]",
            id="204 has no body",
        ),
        pytest.param(
            "[{reply: {status: '304', body: a}}, {tick: 1}, {advance: 5}]",
            "[{reply: {status: '304'}}, {tick: 1}, {advance: 5}]",
            id="calls and time are free",
        ),
        pytest.param(
            "[{request: {headers: {Content-Length: 3, a: b}}}]", "[{request: {headers: {a: b}}}]", id="length"
        ),
        pytest.param("[{stream: b, request: {}}, {response: {}}]", "[{stream: b, request: {}}]", id="of b"),
    ],
)
def test_what_can_be_is_kept(steps: str, kept: str) -> None:
    [given, wanted] = parse(
        f"scenarios: [{{name: a, steps: {steps}}}, {{name: a, steps: {kept}}}]", where="x"
    )
    assert sound(given.steps) == wanted.steps
    assert sound(wanted.steps) == wanted.steps
    assert text_of([wanted])
