"""Suites of Google's Service Extensions: what they become, and what is said of those that cannot."""

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.errors import UsageError
from weft.scenario import Case, Observed, ObservedMessage, Place, is_suite, judge, parse, parse_suite
from weft.scenario.document import LogExpect, Match
from weft.scenario.suites.textformat import read_textformat
from weft.scenario.suites.tree import Message, Scalar

FILES = {"a.config": b"hello", "a.http": b"GET /a HTTP/1.1\r\nHost: x\r\nx-a: 1\r\n\r\n", "raw": b"\xff\xfe"}


def read(name: str, place: Place) -> bytes:
    if name not in FILES:
        raise place.wrong(f"no {name}")
    return FILES[name]


def cases(text: str, *, yaml: bool = False) -> list[Case]:
    return parse_suite(text, where="t", yaml=yaml, read=read)


HEADER = 'header { key: ":path" value: "/a" }'
NO_A = 'header { key: "a" value: "1" } header { key: "a" value: "2" }'

TESTS = [
    pytest.param(
        f'request_headers {{ input {{ {HEADER} }} result {{ has_header {{ key: "X-A" value: "1" }} }} }}',
        '[{request: {headers: {":path": /a}}, expect: {upstream: {headers: {x-a: "1"}}}}]',
        id="a request",
    ),
    pytest.param(
        'request_headers { result { no_header { key: "a" } has_header { key: "b" } log { exact: "l" } } }',
        """
        - request: {}
          expect: {upstream: {headers: {a: {absent: true}, b: {}}}, logs: [{message: {exact: l}}]}
        """,
        id="absent, present and logged",
    ),
    pytest.param(
        f'request_headers {{ input {{ {NO_A} }} result {{ has_header {{ key: "a" value: "1, 2" }} }} }}',
        """
        - request: {headers: {a: ["1", "2"]}}
          expect: {upstream: {headers: {a: ["1", "2"]}}}
        """,
        id="values that the tester joins",
    ),
    pytest.param(
        f"request_headers {{ result {{ {NO_A.replace('header', 'has_header')} }} }}",
        '[{request: {}, expect: {upstream: {headers: {a: ["1", "2"]}}}}]',
        id="several values expected",
    ),
    pytest.param(
        """
        request_headers { result {
            immediate { http_status: 403 grpc_status: -1 details: "not  now" }
            has_header { key: "a" value: "1" } body { exact: "no" }
        } }
        """,
        """
        - request: {}
          expect:
            client: {headers: {a: "1"}, body: {exact: "no"}}
            local_reply: {status: 403, details: not_now}
        """,
        id="an immediate response",
    ),
    pytest.param(
        'request_headers { input { file: "a.http" } }',
        '[{request: {headers: {":method": GET, ":path": /a, ":authority": x, x-a: "1"}}}]',
        id="headers as HTTP/1",
    ),
    pytest.param(
        """
        request_headers { result { has_header { key: "a" value: "1" } } }
        request_body { input { content: "one" } result { body { exact: "ONE" } } }
        request_body { input { content: "two" } result { body { regex: "T.O" } } }
        """,
        r"""
        - {request: {open: true}, expect: {}}
        - request_body: {chunks: [one], open: true}
          expect: {upstream: {body: {exact: ONE}}}
        - request_body: {chunks: [two]}
          expect: {upstream: {headers: {a: "1"}, body: {regex: 'ONE(?=(?-s:T.O)\Z)(?s:.*)'}}}
        """,
        id="headers are looked at after the body, bodies grow",
    ),
    pytest.param(
        """
        request_headers { result { has_header { key: "a" value: "1" } } }
        request_body { result { immediate { http_status: 400 } } }
        """,
        """
        - {request: {open: true}, expect: {upstream: {headers: {a: "1"}}}}
        - {request_body: {chunks: []}, expect: {local_reply: {status: 400}}}
        """,
        id="a body that is answered",
    ),
    pytest.param(
        """
        request_body { } request_body { result { body { exact: "b" } } }
        """,
        r"""
        - request: {headers: {":method": POST}, open: true}
        - request_body: {chunks: [], open: true}
        - request_body: {chunks: []}
          expect: {upstream: {body: {regex: '(?s:.*)(?=b\Z)(?s:.*)'}}}
        """,
        id="a body after one that is not told",
    ),
    pytest.param(
        'request_body { input { content: "abcde" } } num_chunks: 2',
        """
        - request: {headers: {":method": POST}, open: true}
        - request_body: {chunks: [abc, de]}
        """,
        id="a body without headers, in so many chunks",
    ),
    pytest.param(
        'response_body { input { content: "é!" } result { body { exact: "x" invert: true } } } chunk_size: 2',
        r"""
        - request: {}
        - response: {status: "200", open: true}
        - response_body: {chunks: ["é", "!"]}
          expect: {client: {body: {regex: '(?!x\Z)(?s:.*)'}}}
        """,
        id="a response's body alone, in chunks of so many bytes",
    ),
    pytest.param(
        r"""
        response_headers {
            input { content: "HTTP/1.1 404 Not Found\nx: y" }
            result { has_header { key: ":status" value: "404" } }
        }
        """,
        """
        - request: {}
        - {response: {status: "404", headers: {x: "y"}}, expect: {client: {headers: {":status": "404"}}}}
        """,
        id="a response alone",
    ),
    pytest.param(
        'stream_init { result { log { exact: "made" } } } stream_destroy { }',
        "[{request: {}, expect: {logs: [{message: {exact: made}}]}}, {disconnect: true}]",
        id="a stream that only begins and ends",
    ),
    pytest.param("plugin_init { }", "[]", id="a plugin that only starts"),
]


@pytest.mark.parametrize(("test", "expected"), TESTS)
def test_a_test_becomes_a_scenario(test: str, expected: str) -> None:
    (case,) = cases(f'test {{ name: "t" {test} }}')
    (written,) = parse(f"scenarios:\n- name: t\n  steps:\n{indent(expected)}", where="t")
    assert case == written


def indent(steps: str) -> str:
    return textwrap.indent(textwrap.dedent(steps), "    ")


def test_what_is_around_the_tests_is_around_the_scenarios() -> None:
    text = """
        env { config_path: "a.config" time_secs: 60 log_level: TRACE wasm_path: "/x.wasm" }
        test { name: "first" properties { path: "source\\000address" value: "1.2.3.4" } }
        test {
            plugin_init { result { log { exact: "on" } } }
            stream_destroy { result { log { exact: "off" } } }
        }
    """
    first, second = cases(text)
    assert (first.name, second.name, first.where) == ("first", "test 2", "t")
    assert first.plugin.config == "hello"
    assert first.setup.clock == second.setup.clock == "1970-01-01T00:01:00+00:00"
    assert (first.setup.properties, second.setup.properties) == ({"source.address": "1.2.3.4"}, None)
    assert second.expect is not None
    assert second.expect.logs == [LogExpect(message=Match(exact=word)) for word in ("on", "off")]


def test_yaml_says_the_same_as_text() -> None:
    text = """
        env { config_path: "a.config" }
        test {
          name: "n" benchmark: true num_chunks: 2
          request_body { input { content: "ab" } result { body { regex: "(?i)A.*" } log { exact: "1" } } }
        }
    """
    yaml = """
        env: {configPath: a.config}
        test:
          - name: n
            benchmark: true
            numChunks: 2
            stream_init: null
            request_body:
              - input: {content: ab}
                result: {body: {regex: (?i)A.*}, log: [{exact: 1}]}
    """
    assert cases(yaml, yaml=True) == cases(text)
    assert is_suite("# tests\ntest:\n- name: x\n")
    assert not is_suite("scenarios: []\n")
    assert not is_suite("scenarios:\n- name: x\ntest: 1\n")


@pytest.mark.parametrize(
    ("pattern", "body", "fits"),
    [
        ("a.c", "abc", True),
        ("a.c", "a\nc", False),
        ("(?s)a.c", "a\nc", True),
        ("(?i)ABC", "abc", True),
        ("b", "abc", False),
        (r"ab\z", "ab", True),
        (r"ab\\z", "ab\\z", True),
    ],
)
def test_patterns_mean_what_re2_means(pattern: str, body: str, fits: bool) -> None:
    escaped = pattern.replace("\\", "\\\\")
    (case,) = cases(f'test {{ request_body {{ result {{ body {{ regex: "{escaped}" }} }} }} }}')
    expect = case.steps[-1].expect
    assert expect is not None
    seen = Observed(upstream=ObservedMessage((), body.encode(), None, ended=True))
    assert (judge(expect, seen) == []) == fits


def test_all_that_is_said_of_a_body_must_hold() -> None:
    matchers = r'body { regex: ".*a.*" } body { regex: ".*b.*" } body { exact: "ab" invert: true }'
    (case,) = cases(f"test {{ request_body {{ result {{ {matchers} }} }} }}")
    expect = case.steps[-1].expect
    assert expect is not None
    held = {
        body: judge(expect, Observed(upstream=ObservedMessage((), body.encode(), None, ended=True))) == []
        for body in ("ab", "ba", "a", "xaxb\n", "")
    }
    assert held == {"ab": False, "ba": True, "a": False, "xaxb\n": False, "": False}


def test_bytes_that_are_no_text_are_compared_as_they_are() -> None:
    (case,) = cases('test { request_body { input { file: "raw" } result { body { file: "raw" } } } }')
    expect = case.steps[-1].expect
    assert expect is not None
    assert judge(expect, Observed(upstream=ObservedMessage((), b"\xff\xfe", None, ended=True))) == []


WRONG = [
    ("test {\n name: 3 }", "t:2: name must be a text in quotes, not '3'"),
    ('test {\n benchmark: "true" }', "t:2: benchmark must be true or false, not 'true'"),
    ("test {\n num_chunks: 1.5 }", "t:2: num_chunks must be a whole number, not '1.5'"),
    ("test {\n requests { } }", "t:2: Test has no field requests"),
    ("tests { }", "t:1: a suite has no field tests"),
    ("test { name: { } }", "t:1: name is no message"),
    ("test: 5", "t:1: test is a message, not '5'"),
    ('test { name: "a"\nname: "b" }', "t:2: name stands twice in one Test"),
    ("test {\n name }", "t:2: name has no value"),
    ("test { name: }", "t:1: '}' is no value of name"),
    ("test {", "t:1: 'the end' stands where a field or } should"),
    ("test { >", "t:1: '>' stands where a field or } should"),
    ("\n}", "t:2: '}' stands where a field should"),
    ('test: [{ name: "a" } ;', "t:1: ';' stands where ] should"),
    ("test { $ }", "t:1: '$ }' is not text format"),
    ('test { name: "a', "t:1: '\"a' is not text format"),
    ('test { name: "\\q" }', "t:1: \\q is no escape"),
    ('test { name: "\\U00110000" }', "t:1: \\U00110000 is no escape"),
    ("test { " * 30, "t:1: messages are nested too deeply"),
    ("test { request_headers { input { content: 'x' } } }", "t:1: 'x' does not begin a message of HTTP/1"),
    (
        "test { request_headers { input { content: 'GET / HTTP/1.1\\nx' } } }",
        "t:1: 'x' is no header",
    ),
    ("test { request_body { input { header { } } } }", "t:1: a body has no headers"),
    ("test { request_body { input { content: '' file: '' } } }", "t:1: content is there already"),
    ("test { request_body { input {} } chunk_size: 1\nnum_chunks: 1 }", "t:1: num_chunks is there already"),
    ("test { request_body { input { file:\n'b' } } }", "t:2: no b"),
    ("test { request_body { result { body { } } } }",
     "t:1: a StringMatcher has one of exact, regex and file"),
    ("test { request_body { result { body { regex: '(' } } } }",
     "t:1: '(' cannot be translated: missing ), unterminated subpattern"),
    ("test { request_body { result { body { regex: '[[:alpha:]]' } } } }",
     "t:1: [[: of RE2 cannot be translated"),
    ("test { request_body { result { body { regex: '(?U)a+' } } } }", "t:1: U of RE2 cannot be translated"),
    ("test { request_headers { result { body { exact: 'x' } } } }", "t:1: headers have no body"),
    (
        "test { request_headers { result {\nheaders { exact: 'x' } } } }",
        "t:2: headers as one text cannot be translated: their form and order are the tester's own",
    ),
    (
        "test { request_headers { result { no_header { key: 'a'\nvalue: 'b' } } } }",
        "t:2: a no_header with a value cannot be translated",
    ),
    (
        "test { stream_init { result { log { exact: 'a'\ninvert: true } } } }",
        "t:2: that a line is not logged cannot be translated",
    ),
    ("test { plugin_init { input { } } }", "t:1: plugin_init has no input"),
    ("test { stream_destroy { result { body { } } } }",
     "t:1: stream_destroy can expect lines of the log only"),
    ("env { time_secs: 99999999999999 }", "t:1: 99999999999999 is no moment"),
    ("env { config_path: 'raw' }", "t:1: the configuration is no text"),
    ("env { config_path: 'b' }", "t:1: no b"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), WRONG)
def test_what_cannot_be_translated_is_told_by_line(text: str, words: str) -> None:
    with pytest.raises(UsageError) as wrong:
        cases(text)
    assert str(wrong.value) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("test:\n  - nam: x", "t:2: Test has no field nam"),
        ("- test", "t:1: a list stands where one value should"),
        ("just words", "t:1: a suite is a mapping"),
        ("test:\n  - benchmark: 'true'", "t:2: benchmark must be true or false, not 'true'"),
        ("test:\n- [", "t:2: not valid YAML: expected the node content, but found '<stream end>'"),
        ("test: &a [{request_headers: *a}]", "t:1: not valid YAML: *a stands inside of what it stands for"),
    ],
)
def test_what_is_wrong_in_yaml_is_told_by_line(text: str, words: str) -> None:
    with pytest.raises(UsageError) as wrong:
        cases(text, yaml=True)
    assert str(wrong.value) == words


def test_an_empty_suite_has_no_tests() -> None:
    assert cases("") == cases("# nothing") == cases("# nothing", yaml=True) == []


def test_text_format_is_read_as_protobuf_reads_it() -> None:
    text = r"""
        a { b: 'it''s' "\n\x41\101\u00e9\U0001F600" } # a comment
        a: < c: [-1, 0x1F]; d: WORD, > e { }
    """
    message = read_textformat(text, "t")
    assert [name for name, _ in message.fields] == ["a", "a", "e"]
    first, second = (value for name, value in message.fields if name == "a")
    assert isinstance(first, Message)
    assert isinstance(second, Message)
    assert [value.text for _, value in first.fields if isinstance(value, Scalar)] == ["its\nAAé😀"]
    assert [(name, value.text) for name, value in second.fields if isinstance(value, Scalar)] == [
        ("c", "-1"), ("c", "0x1F"), ("d", "WORD"),
    ]  # fmt: skip


@given(st.one_of(st.text(), st.lists(st.sampled_from(
    ["test", "{", "}", "<", ">", "[", "]", ":", ",", '"a"', "'", "\\", "1", "input", "result", "body", "\n"]
)).map(" ".join)))  # fmt: skip
def test_any_text_is_read_or_refused(text: str) -> None:
    for yaml in (False, True):
        try:
            cases(text, yaml=yaml)
        except UsageError as error:
            assert str(error).startswith("t:")  # noqa: PT017 - either is right
