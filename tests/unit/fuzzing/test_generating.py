"""Generated cases: the same for a seed, readable when written, and nothing that HTTP does not know."""

import json
from dataclasses import replace

import pytest

from weft.fuzzing import Vocabulary, generate, learn
from weft.scenario import Case, content_bytes, header_pairs, parse, pieces, text_of

OWN = """
plugin: {config: {limit: 3}}
scenarios:
  - name: asks
    steps:
      - request: {headers: {":path": /secret, x-token: abc}, chunks: [hello, world]}
        expect: {calls: [{cluster: auth}]}
      - reply: {cluster: auth, status: 401, headers: {x-why: never}}
      - {tick: 1}
      - {advance: 20 ms}
      - response: {status: 404, body: sorry, trailers: {x-end: "1"}}
  - name: expects only
    setup: {clock: 2026-01-01T00:00:00Z, clusters: [auth]}
    steps:
      - {request: {}}
      - {expect: {upstream: {sent: true}}}
"""
GRPC = """
scenarios:
  - name: tells
    steps:
      - request: {}
        expect: {calls: [{cluster: log, method: Say}, {cluster: {contains: any}}]}
      - reply: {messages: [known, two], grpc_status: 7, grpc_message: nope}
"""
NETWORK = """
scenarios:
  - name: relays
    steps:
      - connect: true
      - downstream_data: {data: hello, end: true}
      - upstream_data: {chunks: [so, long], reset: true}
"""
SCHEMA = {"type": "object", "properties": {"limit": {"type": "integer", "minimum": 1, "maximum": 9}}}


def own() -> list[Case]:
    return parse(OWN, where="tests/x.yaml")


EVERY = [
    pytest.param(Vocabulary(), id="nothing known"),
    pytest.param(learn(own(), schema=SCHEMA), id="own scenarios"),
    pytest.param(learn(own(), schema=SCHEMA, portable=True), id="for Envoy"),
    pytest.param(learn([], calls=False, ticks=False), id="neither calls nor timer"),
    pytest.param(learn(parse(GRPC, where="x"), grpc=True), id="gRPC"),
    pytest.param(learn(parse(NETWORK, where="x"), calls=False), id="connections"),
]
every = pytest.mark.parametrize("words", EVERY)


@every
def test_a_seed_gives_the_same_cases_each_time(words: Vocabulary) -> None:
    def made(seed: int) -> list[Case]:
        return [generate(seed, number, words) for number in range(50)]

    assert made(1) == made(1)
    assert made(1) != made(2)


@every
def test_each_case_is_a_scenario_that_can_be_written_and_read(words: Vocabulary) -> None:
    made = [replace(generate(3, number, words), where="x.yaml") for number in range(80)]
    assert parse(text_of(made), where="x.yaml") == made


@every
def test_streams_are_as_http_has_them(words: Vocabulary) -> None:
    for number in range(300):
        seen: dict[str, str] = {}
        for step in generate(4, number, words).steps:
            assert step.expect is None
            if step.request is not None:
                assert step.stream not in seen
                seen[step.stream] = "open" if step.request.open else "ended"
            elif step.request_body is not None:
                assert seen[step.stream] == "open"
                seen[step.stream] = "open" if step.request_body.open else "ended"
            elif step.connect:
                assert step.stream not in seen
                seen[step.stream] = "connected"
            elif step.is_network:
                assert seen[step.stream] == "connected"
            elif step.disconnect or step.response is not None:
                assert step.stream in seen


@every
def test_no_message_claims_a_length_or_has_what_a_proxy_refuses(words: Vocabulary) -> None:
    for number in range(300):
        for step in generate(5, number, words).steps:
            message = step.request or step.response or step.reply
            if message is None:
                continue
            pairs = header_pairs(message.headers)
            assert not {"content-length", "transfer-encoding"} & {name for name, _ in pairs}
            assert sum(len(name) + len(value.encode()) for name, value in pairs) < 60_000
            assert all(
                (value == value.strip() and value.isprintable()) or "\t" in value for _, value in pairs
            )
            path = dict(pairs).get(":path", "/")
            assert path.startswith("/")
            assert "#" not in path


def test_for_envoy_nothing_takes_time_and_no_piece_is_empty_or_comes_in_two() -> None:
    words = learn(own(), portable=True)
    for number in range(300):
        case = generate(6, number, words)
        assert case.setup.clock is None
        for step in case.steps:
            assert step.tick is None
            assert step.advance is None
            message = step.request or step.request_body or step.response or step.response_body
            for piece in pieces(None, message.chunks) if message is not None else ():
                assert 0 < len(piece) <= 16_384


def test_there_is_something_of_everything() -> None:
    text = text_of([generate(7, number, learn(own(), schema=SCHEMA)) for number in range(250)])
    words = ["chunks", "trailers", "open: true", "timeout: true", "failed: true", "disconnect", "tick"]
    words += ["status: 503", "base64", "x-token", "/secret", "x-why", "stream: b", "clusters: []"]
    for word in [*words, "method: HEAD", "limit:"]:
        assert word in text, word


def test_answers_to_grpc_end_or_stay_open_and_go_to_any_server() -> None:
    words = learn([*own(), *parse(GRPC, where="x")], grpc=True)
    assert words.clusters == ("auth", "log")
    made = [step.reply for number in range(300) for step in generate(7, number, words).steps if step.reply]
    assert {reply.cluster for reply in made} == {None, "auth", "log"}
    grpc = [reply for reply in made if reply.is_grpc]
    assert {reply.open for reply in grpc} == {True, False}
    assert {reply.grpc_status for reply in grpc} > {None, 0, 7, 14}
    assert any(b"known" in map(content_bytes, reply.all_messages) for reply in grpc)
    assert any(reply.is_http for reply in made)


def test_a_filter_of_connections_gets_nothing_else() -> None:
    words = learn(parse(NETWORK, where="x"))
    steps = [step for number in range(100) for step in generate(7, number, words).steps]
    assert not [step for step in steps if step.is_http]
    said = [data for step in steps if (data := step.upstream_data)]
    assert {data.reset for data in said} == {data.end for data in said} == {True, False}
    assert any(b"long" in pieces(data.data, data.chunks) for data in said)
    assert any(step.disconnect for step in steps)


def test_what_the_project_says_comes_back_changed_and_unchanged() -> None:
    words = learn(own())
    assert words.paths == ("/secret",)
    assert words.headers == {"x-token": ("abc",), "x-why": ("never",), "x-end": ("1",)}
    assert [content_bytes(body) for body in words.bodies] == [b"hello", b"world", b"sorry"]
    values = {
        str(step.request.headers.get("x-token"))
        for number in range(300)
        for step in generate(8, number, words).steps
        if step.request is not None
    }
    assert "abc" in values
    assert len(values) > 10


def test_a_configuration_is_generated_by_its_schema_and_beside_it() -> None:
    words = learn([], schema=SCHEMA)
    configs = [generate(9, number, words).plugin.config for number in range(600)]
    limits = [config["limit"] for config in configs if isinstance(config, dict) and "limit" in config]
    assert any(isinstance(limit, int) and 1 <= limit <= 9 for limit in limits)
    assert any(not isinstance(limit, int) or not 1 <= limit <= 9 for limit in limits)
    assert any(isinstance(config, str) for config in configs)
    json.dumps(configs)
