"""Writing scenarios: what is written says the same when it is read."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.scenario import (
    Base64,
    BodyPart,
    Case,
    Plugin,
    Reply,
    Request,
    Response,
    Setup,
    Step,
    parse,
    text_of,
)


def case(*steps: Step, name: str = "a", config: object = None) -> Case:
    return Case(name, Plugin(config=config), Setup(), steps, None, "x.yaml")


FULL = """
scenarios:
  - name: says everything
    plugin: {root_id: r, config: {a: [1, null]}, environment: {A: b}, fail_open: true}
    setup: {clusters: [], properties: {a.b: 1}, log_level: trace}
    steps:
      - request: {headers: {":path": /, n: 1, many: [a, 2]}, chunks: [a, {base64: /w==}], trailers: {t: x}}
        expect: {upstream: {headers: {x: {absent: true}}}, calls: [], quiet: info, metrics: {m: [1, 2]}}
      - {stream: b, request: {open: true}}
      - {stream: b, request_body: {body: ""}}
      - response: {status: "404", body: {base64: AA==}}
      - response_body: {open: true}
      - reply: {timeout: true, cluster: c}
      - tick: 2
      - advance: 10 ms
      - {stream: b, disconnect: true, expect: {}}
    expect: {crash: {contains: unreachable}, logs: [a, {level: info, message: b}], local_reply: true}
"""


def test_everything_that_can_be_said_is_written_and_read_as_it_was() -> None:
    read = parse(FULL, where="x.yaml")
    assert parse(text_of(read), where="x.yaml") == read


def test_what_goes_without_saying_is_not_written() -> None:
    assert text_of([case(Step(request=Request()), Step(response=Response(status=404)))]) == (
        "scenarios:\n- name: a\n  steps:\n  - request: {}\n  - response:\n      status: 404\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "${x}",
        "a ${x}${yy} $",
        "$${x}",
        "${",
        "${dollar}",
        "2026-01-01",
        "yes",
        "1e3",
        "0o7",
        "~",
        "",
        " a ",
        "#a",
    ],
)
def test_a_text_stays_what_it_is(text: str) -> None:
    written = case(Step(request=Request(headers={"x": text, "y": [text, "z"]}, body=text)), name=f"n{text}")
    assert parse(text_of([written]), where="x.yaml") == [written]


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
HEADERS = st.dictionaries(TEXTS, st.one_of(TEXTS, st.integers(), st.lists(TEXTS, min_size=1)), max_size=3)
BODIES = TEXTS | st.binary().map(lambda data: Base64(base64=b64encode(data).decode()))
CONFIGS = st.recursive(TEXTS | st.integers() | st.booleans(), st.lists)


@given(headers=HEADERS, body=BODIES, name=TEXTS, config=CONFIGS)
def test_anything_can_be_written(headers: dict[str, object], body: object, name: str, config: object) -> None:
    steps = (
        Step(request=Request(headers=headers, body=body)),  # type: ignore[arg-type]
        Step(request_body=BodyPart(chunks=[body, body])),  # type: ignore[list-item]
        Step(reply=Reply(headers=headers)),  # type: ignore[arg-type]
    )
    written = case(*steps, name=name, config=config)
    assert parse(text_of([written]), where="x.yaml") == [written]
