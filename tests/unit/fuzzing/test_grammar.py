"""Which steps can follow which; each table row is a story, and what of it can be."""

import pytest

from weft.fuzzing.grammar import sound
from weft.scenario import Reply, Step, parse, text_of


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
        pytest.param(
            "[{upstream_data: {data: a}}, {connect: true}, {connect: true}, {downstream_data: {end: true}},"
            " {downstream_data: {data: a}}, {upstream_data: {reset: true}}, {upstream_data: {data: a}}]",
            "[{connect: true}, {downstream_data: {end: true}}, {upstream_data: {reset: true}}]",
            id="a connection until each side ends",
        ),
        pytest.param(
            "[{connect: true}, {disconnect: true}, {upstream_data: {data: a}}]",
            "[{connect: true}, {disconnect: true}]",
            id="a connection until the client goes",
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


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        pytest.param(
            Reply(message="a", messages=["b"], body="c", status=404, headers={"content-length": "1"}),
            Reply(messages=["b"], headers={"content-length": "1"}),
            id="messages and no body",
        ),
        pytest.param(
            Reply(message="a", open=True, grpc_status=1, grpc_message="b", trailers={"c": "d"}),
            Reply(message="a", open=True),
            id="it stays open or ends",
        ),
        pytest.param(Reply(status=304, body="a"), Reply(status=304), id="HTTP"),
    ],
)
def test_an_answer_is_of_one_kind(given: Reply, kept: Reply) -> None:
    """What ``parse`` refuses may come of changing a part."""
    [step] = sound([Step(reply=given)])
    assert step.reply == kept
