"""Reading files of scenarios: parameters, tables, defaults, and mistakes named by their place."""

import re
from pathlib import Path

import pytest

from weft.errors import UsageError
from weft.scenario import Case, content_bytes, milliseconds, parse, schema


def cases(text: str) -> list[Case]:
    return parse(text, where="tests/x.yaml")


def test_a_table_makes_a_case_of_each_row() -> None:
    found = cases("""
parameters: {path: /ab, n: 3}
scenarios:
  - name: gives ${status} for ${path}
    table: [{status: 200}, {status: 404, path: /cd}]
    steps:
      - request: {headers: {":path": "${path}", x-n: "${n}"}}
      - response: {status: "${status}"}
""")
    assert [case.name for case in found] == ["gives 200 for /ab", "gives 404 for /cd"]
    request, response = found[1].steps[0].request, found[1].steps[1].response
    assert request is not None
    assert request.headers == {":path": "/cd", "x-n": 3}
    assert response is not None
    assert response.status == 404


def test_rows_of_a_table_are_told_apart_though_the_name_has_no_parameter() -> None:
    found = cases("scenarios: [{name: a, table: [{x: 1}, {name: two}], steps: [{tick: 1}]}]")
    assert [case.name for case in found] == ["a [1]", "a [two]"]


def test_a_scenarios_own_settings_go_before_the_files() -> None:
    (found,) = cases("""
plugin: {root_id: r, config: {a: 1}}
setup: {clusters: [one], log_level: debug}
scenarios: [{name: a, plugin: {config: text}, setup: {clusters: []}, steps: [{tick: 1}]}]
""")
    assert (found.plugin.root_id, found.plugin.config) == ("r", "text")
    assert (found.setup.clusters, found.setup.log_level) == ([], "debug")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("a: b: c",
                     "tests/x.yaml:1: not valid YAML: mapping values are not allowed here",
                     id="no YAML"),
        pytest.param("a: 1", "tests/x.yaml: no list of scenarios", id="no scenarios"),
        pytest.param("scenarios: [{name: a, stepz: []}]",
                     "tests/x.yaml: Object contains unknown field `stepz` at a", id="unknown key"),
        pytest.param("scenarios: [{name: a, steps: [{request: {heders: {}}}]}]",
                     "tests/x.yaml: Object contains unknown field `heders` at a.steps[0].request",
                     id="deep key"),
        pytest.param("scenarios: [{name: a, steps: [{tick: x}]}]",
                     "tests/x.yaml: Expected `int | null`, got `str` at a.steps[0].tick", id="wrong type"),
        pytest.param("scenarios: [{name: a, steps: [{tick: 1, disconnect: true}]}]",
                     "tests/x.yaml: a: step 1 does several things: tick, disconnect", id="two actions"),
        pytest.param("scenarios: [{name: a, steps: [{}]}]",
                     "tests/x.yaml: a: step 1 does nothing and expects nothing", id="empty step"),
        pytest.param("scenarios: [{name: a, steps: [{advance: soon}]}]",
                     "tests/x.yaml: a: step 1: 'soon' is no duration", id="duration"),
        pytest.param("scenarios: [{name: a, steps: [{request: {body: '${b}'}}]}]",
                     "tests/x.yaml: a: no parameter b", id="unknown parameter"),
        pytest.param("scenarios: [{name: a, steps: [{request: {body: {base64: '!'}}}]}]",
                     "tests/x.yaml: a: step 1: not base64: Only base64 data is allowed", id="base64"),
        pytest.param("scenarios: [{name: a, steps: [{request: {body: a, chunks: [b]}}]}]",
                     "tests/x.yaml: a: step 1 has both body and chunks", id="body and chunks"),
        *(
            pytest.param(f"scenarios: [{{name: a, steps: [{{reply: {{{reply}}}}}]}}]",
                         f"tests/x.yaml: a: step 1 {words}", id=words)
            for reply, words in (
                ("message: a, messages: [b]", "has both message and messages"),
                ("message: a, body: b", "has a body and speaks gRPC"),
                ("grpc_status: 3, status: 503", "has both status and gRPC"),
                ("grpc_status: 3, open: true", "stays open and ends"),
            )
        ),
        pytest.param("scenarios: [{name: a, steps: [{reply: {messages: [{base64: '!'}]}}]}]",
                     "tests/x.yaml: a: step 1: not base64: Only base64 data is allowed", id="a message"),
        *(
            pytest.param(f"scenarios: [{{name: a, {scenario}}}]", f"tests/x.yaml: a{words}", id=words)
            for scenario, words in (
                ("steps: [{connect: true}, {request: {}}]", " is about HTTP and about connections"),
                (
                    "steps: [{connect: true}, {response_metadata: {a: 1}}]",
                    " is about HTTP and about connections",
                ),
                ("setup: {after: [{}]}, steps: [{connect: true}]", ": a chain is of HTTP filters"),
                ("steps: [{downstream_data: {reset: true}}]", ": step 1: a client does not reset"),
                ("steps: [{upstream_data: {data: a, chunks: [b]}}]", ": step 1 has both data and chunks"),
                (
                    "steps: [{connect: true, disconnect: true}]",
                    ": step 1 does several things: connect, disconnect",
                ),
            )
        ),
        pytest.param("scenarios: [{name: a, steps: [{request_metadata: {}}]}]",
                     "tests/x.yaml: Expected `object` of length >= 1 at a.steps[0].request_metadata",
                     id="no metadata"),
        pytest.param("scenarios: [{name: a, steps: [{reply: {grpc_status: 17}}]}]",
                     "tests/x.yaml: Expected `int` <= 16 at a.steps[0].reply.grpc_status", id="status"),
        pytest.param("scenarios: [{name: a, expect: {calls: [{message: {base64: '!'}}]}}]",
                     "tests/x.yaml: a: not base64: Only base64 data is allowed", id="bytes"),
        pytest.param("scenarios: [{name: a, expect: {client: {body: {regex: '('}}}}]",
                     "tests/x.yaml: a: '(' is no regular expression: missing ), unterminated subpattern "
                     "at position 0", id="regex"),
        pytest.param("scenarios: [{name: a, expect: {quiet: loud}}]",
                     "tests/x.yaml: a: no log level loud", id="level"),
        pytest.param("scenarios: [{name: a, table: [1]}]", "tests/x.yaml: a: a table is a list of mappings",
                     id="table"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_by_its_place(text: str, message: str) -> None:
    with pytest.raises(UsageError) as wrong:
        cases(text)
    assert str(wrong.value) == message


@pytest.mark.parametrize(
    ("text", "expected"),
    [("500ms", 500), ("2s", 2000), ("1.5 s", 1500), ("1m", 60000), (7, 7), ("", None), ("2h", None)],
)
def test_durations(text: str | int, expected: int | None) -> None:
    assert milliseconds(text) == expected


def test_text_is_utf8() -> None:
    assert content_bytes("ü") == b"\xc3\xbc"


def test_the_schema_names_every_part_of_a_step() -> None:
    step = schema()["$defs"]["Step"]["properties"]
    assert {"request", "response", "reply", "tick", "advance", "expect"} <= step.keys()
    assert {"connect", "downstream_data", "upstream_data", "request_metadata"} <= step.keys()
    parts = schema()["$defs"]
    assert {"before", "after"} <= parts["Setup"]["properties"].keys()
    assert {"message", "messages", "grpc_status", "open"} <= parts["Reply"]["properties"].keys()


def test_the_examples_in_the_documentation_are_scenarios() -> None:
    page = (Path(__file__).parents[3] / "docs" / "scenarios.md").read_text()
    found = [cases(block) for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)]
    assert [len(block) for block in found] == [1, 2, 1, 2, 1]
    assert found[3][1].name == "counts 2 requests to /cart"


def test_a_date_is_a_text() -> None:
    (found,) = cases("scenarios: [{name: a, setup: {clock: 2026-01-01T00:00:00Z}, steps: [{tick: 1}]}]")
    assert found.setup.clock == "2026-01-01T00:00:00Z"
