"""Smaller cases: from a case with a planted fault to the least that still has it."""

from collections.abc import Callable
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.fuzzing import Vocabulary, generate, minimise, weight
from weft.fuzzing.grammar import sound
from weft.fuzzing.shrinking import candidates
from weft.scenario import Case, header_pairs, parse, pieces, text_of

LARGE = """
plugin: {root_id: r, config: {limit: 30, name: something, list: [1, 2, 3]}, environment: {A: b, C: d}}
setup: {clusters: [one, two], log_level: trace}
scenarios:
  - name: large
    steps:
      - {stream: b, request: {headers: {x-b: "1"}, body: other}}
      - request:
          headers: {":method": POST, ":path": /a/long/way?q=1, x: bcdefghijklm, y: [one, two, three]}
          open: true
      - {stream: b, response: {status: 500, body: sorry}}
      - {request_body: {chunks: [abc, defg, {base64: gICAgICA}], open: true}}
      - {request_body: {body: "the end", trailers: {t: x, u: z}}}
      - {reply: {cluster: one, status: 503, headers: {a: b}, body: none}}
      - {tick: 5}
      - {response: {status: 404, chunks: [a, b]}}
      - {disconnect: true}
"""


def large() -> Case:
    [case] = parse(LARGE, where="x.yaml")
    return case


def smallest(fault: Callable[[Case], bool], case: Case | None = None, *, most: int = 500) -> Case:
    """What is left of a case when only the fault counts."""
    found = case or large()
    assert fault(found)
    for smaller in minimise(found, lambda cases: next(filter(fault, cases), None), most=most):
        assert fault(smaller)
        assert weight(smaller) < weight(found)
        found = smaller
    return found


def said(case: Case) -> str:
    """All of it but the name."""
    return text_of([case]).partition("name: large\n")[2]


def values(case: Case) -> dict[str, list[str]]:
    """Of all headers of requests."""
    found: dict[str, list[str]] = {}
    for step in case.steps:
        for name, value in header_pairs(step.request.headers) if step.request else ():
            found.setdefault(name, []).append(value)
    return found


def pieces_of(case: Case) -> list[bytes]:
    """Of the bodies of requests."""
    parts = [part for step in case.steps if (part := step.request or step.request_body)]
    return [piece for part in parts for piece in pieces(part.body, part.chunks)]


@pytest.mark.parametrize(
    ("fault", "left"),
    [
        pytest.param(bool, "  steps: []\n", id="anything"),
        pytest.param(
            lambda case: any(len(value) > 7 for value in values(case).get("x", ())),
            "  steps:\n  - request:\n      headers:\n        x: aaaaaaaa\n",
            id="a header's length",
        ),
        pytest.param(
            lambda case: any("g" in value for value in values(case).get("x", ())),
            "  steps:\n  - request:\n      headers:\n        x: g\n",
            id="a header's letter",
        ),
        pytest.param(
            lambda case: "three" in values(case).get("y", ()),
            "  steps:\n  - request:\n      headers:\n        y:\n        - three\n",
            id="one of several values",
        ),
        pytest.param(
            lambda case: any("?" in value for value in values(case).get(":path", ())),
            "  steps:\n  - request:\n      headers:\n        :path: /?\n",
            id="a path",
        ),
        pytest.param(
            lambda case: any(b"\x80\x80" in piece for piece in pieces_of(case)),
            "  steps:\n  - request:\n      body:\n        base64: gIA=\n",
            id="bytes",
        ),
        pytest.param(
            lambda case: len(pieces_of(case)) > 2,
            "  steps:\n  - request:\n      chunks:\n      - ''\n      - ''\n      - ''\n",
            id="pieces of a body",
        ),
        pytest.param(
            lambda case: any(step.tick for step in case.steps), "  steps:\n  - tick: 1\n", id="a tick"
        ),
        pytest.param(
            lambda case: len({step.stream for step in case.steps if step.request}) > 1,
            "  steps:\n  - stream: b\n    request: {}\n  - request: {}\n",
            id="two streams",
        ),
        pytest.param(
            lambda case: any(step.reply and str(step.reply.status)[0] == "5" for step in case.steps),
            "  steps:\n  - reply:\n      status: 503\n",
            id="a reply",
        ),
        pytest.param(
            lambda case: "limit" in (case.plugin.config or {}) and case.plugin.config["limit"] > 3,
            "  plugin:\n    config:\n      limit: 30\n  steps: []\n",
            id="a configuration",
        ),
    ],
)
def test_only_the_fault_is_left(fault: Callable[[Case], bool], left: str) -> None:
    assert said(smallest(fault)) == left


ANSWER = "{reply: {cluster: a, headers: {x: y}, messages: [abc, def, ghi], grpc_status: 7, grpc_message: m}}"
TALK = "{connect: true}, {downstream_data: {chunks: [abc, def], end: true}}, {upstream_data: {data: hello}}"


def test_an_answer_to_grpc_is_made_small() -> None:
    [case] = parse(f"scenarios: [{{name: large, steps: [{{request: {{}}}}, {ANSWER}]}}]", where="x")

    def fault(case: Case) -> bool:
        replies = [step.reply for step in case.steps if step.reply]
        return any("e" in str(reply.all_messages) and reply.grpc_status for reply in replies)

    left = "  steps:\n  - reply:\n      message: e\n      grpc_status: 7\n"
    assert said(smallest(fault, case)) == left


def test_a_connection_is_made_small() -> None:
    [case] = parse(f"scenarios: [{{name: large, steps: [{TALK}]}}]", where="x")

    def fault(case: Case) -> bool:
        heard = [step.downstream_data for step in case.steps if step.downstream_data]
        return any(b"f" in b"".join(pieces(data.data, data.chunks)) for data in heard)

    left = "  steps:\n  - connect: true\n  - downstream_data:\n      data: f\n"
    assert said(smallest(fault, case)) == left


def test_a_large_body_is_small_after_few_tries() -> None:
    [case] = parse(f"scenarios: [{{name: a, steps: [{{request: {{body: {'xy' * 50_000}}}}}]}}]", where="x")
    found = smallest(lambda case: sum(map(len, pieces_of(case))) > 99, case, most=60)
    assert 99 < len(pieces_of(found)[0]) < 200


def test_no_more_is_tried_than_is_allowed() -> None:
    tried = []

    def fails(cases: list[Case]) -> None:
        tried.extend(cases)

    assert list(minimise(large(), fails, most=7, at_once=5)) == []  # type: ignore[arg-type]
    assert len(tried) == 7


def test_several_are_tried_together_where_that_is_cheaper() -> None:
    batches = []

    def fails(cases: list[Case]) -> Case | None:
        batches.append(len(cases))
        return next((case for case in cases if "x" in values(case)), None)

    *_, found = minimise(large(), fails, at_once=20)  # type: ignore[arg-type]
    assert said(found) == "  steps:\n  - request:\n      headers:\n        x: ''\n"
    assert max(batches) == 20


@given(number=st.integers(0, 10_000))
def test_what_is_tried_is_always_smaller_and_can_be_played(number: int) -> None:
    case = generate(0, number, Vocabulary())
    for tried in islice(candidates(case), 30):
        assert weight(tried) < weight(case)
        assert sound(tried.steps) == tried.steps
