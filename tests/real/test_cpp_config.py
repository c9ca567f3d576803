"""What C++ filters read their configs with: JSON against Python's reader, expressions against Python's.

One compiled filter answers many questions in one start of Envoy, so that tables and random texts are cheap.
"""

import json
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation, localcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modules.cpp import STRICT, compile_cpp, source
from worlds.bare_envoy import Plugin, refused, running

pytestmark = [pytest.mark.real("cpp", "envoy"), pytest.mark.xdist_group("cpp_config")]

BATCHES = settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))


@dataclass(frozen=True)
class Asked:
    """A compiled filter that answers through its log."""

    module: Path
    folder: Path

    def json(self, texts: Sequence[bytes]) -> list[str]:
        """For each text ``= value``, or what is wrong with it."""
        return self._ask([{"text": text.hex()} for text in texts])

    def regex(self, questions: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
        """For each pattern ``= `` and a digit per text, or what is wrong with the pattern."""
        return self._ask(
            [
                {
                    "regex": True,
                    "text": pattern.encode().hex(),
                    "against": [text.encode().hex() for text in texts],
                }
                for pattern, texts in questions
            ]
        )

    def _ask(self, questions: list[dict[str, Any]]) -> list[str]:
        config = json.dumps({"questions": questions})
        with running(self.folder, Plugin(self.module, config, "readers")) as envoy:
            answers = dict(envoy.logged(r"wasm log[^:]*: (\d+) (.*)"))
        return [answers[str(number)] for number in range(len(questions))]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    folder = tmp_path_factory.mktemp("readers")
    return Asked(compile_cpp(folder, {"filter.cc": source("readers.cc")}, flags=STRICT), folder)


# ------------------------------------------------------------------------------------------------------ JSON

VALID = {
    "null": b"null",
    "true": b" true ",
    "false": b"\tfalse\r\n",
    "zero": b"0",
    "minus zero": b"-0",
    "a whole number": b"9007199254740993",
    "the largest integer": b"9223372036854775807",
    "the smallest integer": b"-9223372036854775808",
    "one more": b"9223372036854775808",
    "one less": b"-9223372036854775809",
    "a whole number with a fraction": b"1000.000",
    "a whole number with an exponent": b"1.5e3",
    "a capital exponent": b"12E+2",
    "a shrinking exponent": b"1200e-2",
    "half": b"0.5",
    "a third of a cent": b"-3.3e-3",
    "a huge exponent": b"1e400",
    "a huge shrinking exponent": b"1e-400",
    "zero to the millionth": b"0e1000000",
    "an exponent beyond counting": b"1e99999999999999999999",
    "twenty digits": b"12345678901234567890",
    "an empty string": b'""',
    "escapes": rb'"\"\\\/\b\f\n\r\t"',
    "an escaped letter": rb'"\u00e9\u20AC"',
    "a surrogate pair": rb'"\ud83d\ude00"',
    "an escaped NUL": rb'"a\u0000b"',
    "UTF-8 of every length": '"aé€😀\U0010ffff\ud7ff\ue000"'.encode(),
    "DEL": b'"\x7f"',
    "an empty array": b"[ ]",
    "an empty object": b"{ }",
    "nesting": b'[[1, [2, {"a": []}]], {"b": {"c": null}}]',
    "the deepest nesting": b"[" * 64 + b"]" * 64,
    "an empty key": b'{"": 1}',
    "most keys": json.dumps(dict.fromkeys(map(str, range(4096)))).encode(),
}

INVALID = {
    "nothing": (b"", "line 1, column 1: expected a value"),
    "only space": (b" \n ", "line 2, column 2: expected a value"),
    "two values": (b"1 2", "line 1, column 3: unexpected text after the value"),
    "a byte order mark": (b"\xef\xbb\xbf1", "line 1, column 1: expected a value"),
    "a comment": (b"[1, // one\n2]", "line 1, column 5: expected a value"),
    "a word": (b"nul", "line 1, column 1: expected a value"),
    "a long word": (b"nulls", "line 1, column 5: unexpected text after the value"),
    "not a number": (b"NaN", "line 1, column 1: expected a value"),
    "a plus": (b"+1", "line 1, column 1: expected a value"),
    "a minus": (b"-", "line 1, column 1: expected a value"),
    "a leading zero": (b"01", "line 1, column 2: unexpected text after the value"),
    "a hexadecimal number": (b"0x1", "line 1, column 2: unexpected text after the value"),
    "a bare fraction": (b".5", "line 1, column 1: expected a value"),
    "an empty fraction": (b"1.", "line 1, column 3: expected a digit"),
    "an empty exponent": (b"1e+", "line 1, column 4: expected a digit"),
    "an open string": (b'{"a": "bc', "line 1, column 7: the string does not end"),
    "an open escape": (b'"\\', "line 1, column 2: unknown escape"),
    "an unknown escape": (rb'"\x41"', "line 1, column 2: unknown escape"),
    "three digits": (rb'"\u12g4"', r"line 1, column 2: \u needs four hexadecimal digits"),
    "half a pair": (rb'"\ud83d"', "line 1, column 2: half a surrogate pair"),
    "the wrong half": (rb'"\ude00"', "line 1, column 2: half a surrogate pair"),
    "two first halves": (rb'"\ud83d\ud83d"', "line 1, column 2: half a surrogate pair"),
    "a line break": (b'"a\nb"', "line 1, column 3: a control character in a string must be escaped"),
    "a NUL": (b'"a\0b"', "line 1, column 3: a control character in a string must be escaped"),
    "a lone continuation": (b'"\x80"', "line 1, column 2: not UTF-8"),
    "a long form": (b'"\xc0\xaf"', "line 1, column 2: not UTF-8"),
    "a longer form": (b'"\xe0\x80\xaf"', "line 1, column 2: not UTF-8"),
    "a surrogate in UTF-8": (b'"\xed\xa0\x80"', "line 1, column 2: not UTF-8"),
    "beyond Unicode": (b'"\xf4\x90\x80\x80"', "line 1, column 2: not UTF-8"),
    "a cut character": (b'"\xe2\x82"', "line 1, column 2: not UTF-8"),
    "columns are characters": ('["é€😀" x'.encode(), "line 1, column 8: expected ',' or ']'"),
    "an open array": (b"[1, 2", "line 1, column 6: expected ',' or ']'"),
    "a trailing comma": (b"[1,]", "line 1, column 4: expected a value"),
    "a missing comma": (b"[1 2]", "line 1, column 4: expected ',' or ']'"),
    "the wrong bracket": (b"[1}", "line 1, column 3: expected ',' or ']'"),
    "an open object": (b'{"a": 1', "line 1, column 8: expected ',' or '}'"),
    "a bare key": (b"{a: 1}", "line 1, column 2: expected a key in double quotes"),
    "a single quote": (b"{'a': 1}", "line 1, column 2: expected a key in double quotes"),
    "a comma at the end": (b'{"a": 1,\n}', "line 2, column 1: expected a key in double quotes"),
    "a key alone": (b'{"a"}', "line 1, column 5: expected ':'"),
    "a key twice": (b'{"a": 1,\n "b": 2, "a": 3}', 'line 2, column 10: the key "a" is given twice'),
    "too deep": (b"[" * 65, "line 1, column 65: nested deeper than 64"),
    "too many keys": (
        b"{" + b"".join(b'"%04d":0,' % n for n in range(4097)) + b"}",
        f"line 1, column {2 + 4096 * 9}: more than 4096 keys in one object",
    ),
}


class Refused(ValueError):
    """Python's reader takes it, RFC 8259 or weft does not."""


def expected(text: bytes) -> object:
    """What the filter shows of a text, by Python's reader; raises ``ValueError`` where it is not valid."""

    def number(digits: str) -> dict[str, object]:
        with localcontext() as context:
            context.traps[InvalidOperation] = False  # an exponent beyond counting is not a number
            exact = Decimal(digits)
        small = exact == 0 or (exact.adjusted() < 20 and exact == exact.to_integral_value())
        whole = int(exact) if small and -(2**63) <= exact < 2**63 else None
        return {
            "text": digits,
            "integer": whole,
            "bits": struct.unpack(">Q", struct.pack(">d", float(digits)))[0],
        }

    def members(pairs: list[tuple[str, object]]) -> object:
        if len(dict(pairs)) != len(pairs):
            raise Refused
        return ["object", [[shown(key), shown(value)] for key, value in pairs]]

    def constant(name: str) -> object:
        raise Refused(name)

    def shown(value: object) -> object:
        if isinstance(value, str):
            return value.encode().hex()  # half a surrogate pair has no UTF-8: a ValueError
        if isinstance(value, list) and value[:1] != ["object"]:
            return [shown(item) for item in value]
        return value

    return shown(
        json.loads(
            text.decode(),
            parse_int=number,
            parse_float=number,
            parse_constant=constant,
            object_pairs_hook=members,
        )
    )


def test_valid_documents_are_read_as_python_reads_them(asked: Asked) -> None:
    answers = asked.json(list(VALID.values()))
    for (name, text), answer in zip(VALID.items(), answers, strict=True):
        assert answer.startswith("= "), (name, answer)
        assert json.loads(answer[2:]) == expected(text), name


def test_invalid_documents_are_refused_with_their_place(asked: Asked) -> None:
    answers = asked.json([text for text, _ in INVALID.values()])
    assert dict(zip(INVALID, answers, strict=True)) == {name: words for name, (_, words) in INVALID.items()}


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """JSON as people and programs write it; half of it with one byte changed, removed or put in."""
    text = json.dumps(
        draw(VALUES), ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1]))
    ).encode()
    if draw(st.booleans()):
        at = draw(st.integers(0, len(text)))
        new = draw(st.binary(max_size=1) | st.sampled_from([b'"', b"\\", b",", b"}", b"]", b"0", b".", b"e"]))
        text = text[:at] + new + text[at + draw(st.integers(0, 1)) :]
    return text


@BATCHES
@given(texts=st.lists(documents(), min_size=60, max_size=60))
def test_any_document_is_judged_and_read_as_python_does(asked: Asked, texts: list[bytes]) -> None:
    for text, answer in zip(texts, asked.json(texts), strict=True):
        try:
            value = expected(text)
        except ValueError:
            assert answer.startswith("line "), text
        else:
            assert answer.startswith("= "), (text, answer)
            assert json.loads(answer[2:]) == value, text


# ----------------------------------------------------------------------------------------------- expressions

PATTERNS = {
    "...": {"/ab": True, "/a": False, "/abc": False},
    "": {"": True, "a": False},
    "/a|/b": {"/a": True, "/b": True, "/a|/b": False},
    "(|a)b?": {"": True, "a": True, "ab": True, "b": True, "ba": False},
    r"/users/\d+(\?.*)?": {"/users/7": True, "/users/42?x=1": True, "/users/x": False, "/users/": False},
    "[a-c-]+": {"a-c": True, "d": False},
    "[]a]+": {"]a": True, "b": False},
    r"[^\d/]*": {"abc": True, "a1": False, "a/": False, "": True},
    r"[\]\\-]+": {"]\\-": True},
    r"\w+\s\W": {"ab_9 !": True, "ab_9 a": False},
    r"\D\S\t": {"aa\t": True, "1a\t": False},
    r"\x41\.\*": {"A.*": True, "AAA": False},
    "a{2}": {"a": False, "aa": True, "aaa": False},
    "a{2,}": {"a": False, "aa": True, "aaaa": True},
    "(ab){1,3}c": {"c": False, "abc": True, "abababc": True, "ababababc": False},
    "(a{2}){2}": {"aaaa": True, "aaa": False},
    "a{0}b": {"b": True, "ab": False},
    "a??b+?c*?": {"abbcc": True, "bc": True, "ac": False},
    "(?:a)(?P<name>b)(?<other>c)": {"abc": True},
    "^/a$": {"/a": True, "/a/": False},
    "(^a|b$)": {"a": True, "b": True},
    "a^b|a$b": {"ab": False, "a^b": False},
    "^*$$": {"": True, "a": False},
    "$^": {"": True, "a": False},
    "(?i)/[a-c]X": {"/Bx": True, "/AX": True, "/dx": False},
    "(?i)[^a]": {"a": False, "A": False, "b": True},
    "a]}": {"a]}": True},
    "(a|aa)+": {"a" * 60: True, "a" * 60 + "b": False},
    "(a*)*": {"a" * 60 + "b": False, "": True},
    "(a?){40}a{40}": {"a" * 40: True, "a" * 80: True, "a" * 39: False, "a" * 81: False},
    "[ab]{100}c{20}": {"ab" * 50 + "c" * 20: True, "ab" * 50 + "c" * 19: False},
    "^(a{70}|b{70})$|^$": {"b" * 70: True, "b" * 69: False, "": True},
}

WRONG = {
    "(": "missing )",
    "(a": "missing )",
    "a)": "unmatched )",
    "[": "missing ]",
    "[a-": "missing ]",
    "[]": "missing ]",
    "[z-a]": "a range in [ ] that ends before it begins",
    r"[a-\d]": "a range in [ ] that ends before it begins",
    "[[:alpha:]]": "[: :] is not known",
    "*": "nothing to repeat before *",
    "a|+": "nothing to repeat before +",
    "(?)": "only (?: ) and (?<name> ) are known of the (? groups",
    "(?=a)": "only (?: ) and (?<name> ) are known of the (? groups",
    "(?<!a)b": "only (?: ) and (?<name> ) are known of the (? groups",
    "a(?i)": "only (?: ) and (?<name> ) are known of the (? groups",
    "a**": "a repeat of a repeat",
    "a{2}{3}": "a repeat of a repeat",
    "a{3,2}": "a count that ends before it begins",
    "a{": r"{ must be a count as in {2,4}, or be written \{",
    "a{,2}": r"{ must be a count as in {2,4}, or be written \{",
    "a{1,x}": r"{ must be a count as in {2,4}, or be written \{",
    "a\\": r"\ at the end",
    r"(a)\1": r"\1 is not known",
    r"\bword\b": r"\b is not known",
    r"\x4": r"\x needs two hexadecimal digits",
    "é": "only ASCII is known; percent-encode other characters",
    "[é]": "only ASCII is known; percent-encode other characters",
    "a{512}": "too large",
    "((a{99}){99}){99}": "too large",
    "((){999}){999}": "too large",
    "(" * 100 + ")" * 100: "groups nested deeper than 64",
}


def test_expressions_match_the_whole_text(asked: Asked) -> None:
    answers = asked.regex([(pattern, list(texts)) for pattern, texts in PATTERNS.items()])
    found = {
        pattern: dict(zip(texts, map("1".__eq__, answer[2:]), strict=True)) if answer[0] == "=" else answer
        for (pattern, texts), answer in zip(PATTERNS.items(), answers, strict=True)
    }
    assert found == PATTERNS


def test_wrong_expressions_are_explained(asked: Asked) -> None:
    answers = asked.regex([(pattern, []) for pattern in WRONG])
    assert dict(zip(WRONG, answers, strict=True)) == WRONG


ATOMS = st.sampled_from(
    ["a", "b", "/", ".", "[ab]", "[^a]", "[a-c/]", r"\d", r"\w", r"\W", r"\.", "^", "$", "1"]
)
COUNTS = st.sampled_from(["", "", "", "*", "+", "?", "{2}", "{1,}", "{0,2}", "*?"])
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=4).map("".join)
        | st.lists(inner, min_size=2, max_size=3).map("|".join).map("({})".format)
        | st.builds("(?:{}){}".format, inner, COUNTS)
    ),
    max_leaves=8,
)
TEXTS = st.lists(st.text("abc/1.", max_size=6), min_size=8, max_size=8)


@BATCHES
@given(questions=st.lists(st.tuples(EXPRESSIONS, TEXTS), min_size=60, max_size=60))
def test_any_expression_matches_what_python_matches(
    asked: Asked, questions: list[tuple[str, list[str]]]
) -> None:
    for (pattern, texts), answer in zip(questions, asked.regex(questions), strict=True):
        wanted = "".join("1" if re.fullmatch(pattern, text, re.ASCII) else "0" for text in texts)
        assert answer == f"= {wanted}", (pattern, texts)


# ---------------------------------------------------------------------------------------------- weft::Config


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("configured")
    return compile_cpp(folder, {"filter.cc": source("config.cc")}, flags=STRICT)


@pytest.mark.parametrize(
    ("config", "read"),
    [
        pytest.param("", "none|true|5|1|50", id="nothing"),
        pytest.param("{}", "none|true|5|1|50", id="an empty object"),
        pytest.param(
            '{"text": "t", "flag": false, "whole": -7, "small": 10, "ratio": 0.25, "list": ["x", "y"],'
            ' "items": [{"key": "k"}], "nested": {"deeper": {"key": "d"}}}',
            "t|false|-7|10|25|x|y|k|d",
            id="everything",
        ),
    ],
)
def test_a_config_is_read(configured: Path, tmp_path: Path, config: str, read: str) -> None:
    with running(tmp_path, Plugin(configured, config, "configured")) as envoy:
        assert set(envoy.logged(r"wasm log[^:]*: (.*)")) == {read}


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        pytest.param("{", "not valid JSON: line 1, column 2: expected a key in double quotes", id="syntax"),
        pytest.param("null", "must be an object", id="not an object"),
        pytest.param('{"text": null}', "text must be a string", id="null"),
        pytest.param('{"flag": "yes"}', "flag must be true or false", id="flag"),
        pytest.param('{"whole": 0.5}', "whole must be an integer", id="fraction"),
        pytest.param('{"whole": 1e19}', "whole must be an integer", id="too large"),
        pytest.param('{"small": 11}', "small must be an integer from 0 to 10", id="out of range"),
        pytest.param('{"small": "1"}', "small must be an integer from 0 to 10", id="range and type"),
        pytest.param('{"ratio": []}', "ratio must be a number", id="number"),
        pytest.param('{"list": "x"}', "list must be a list", id="list"),
        pytest.param('{"list": ["x", 1]}', "list[1] must be a string", id="item"),
        pytest.param('{"items": [{"key": "k"}, 1]}', "items[1] must be an object", id="object in a list"),
        pytest.param('{"items": [{}]}', "items[0].key is required", id="required"),
        pytest.param('{"items": [{"key": 1}]}', "items[0].key must be a string", id="inside"),
        pytest.param('{"nested": []}', "nested must be an object", id="nested"),
        pytest.param('{"nested": {"never": 1}}', "nested.never must never be given", id="the filter's own"),
        pytest.param('{"nested": {"deeper": {"k": 1}}}', "nested.deeper.k is not a known key", id="deep"),
        pytest.param('{"txet": "t"}', "txet is not a known key", id="misspelt"),
        pytest.param('{"txet": 1, "text": 1}', "text must be a string", id="the first mistake only"),
    ],
)
def test_a_wrong_config_is_refused_in_one_line(
    configured: Path, tmp_path: Path, config: str, complaint: str
) -> None:
    log = refused(tmp_path, Plugin(configured, config, "configured"))
    assert re.findall(r"\[error\]\[wasm\] .*?wasm log[^:]*: (.*)", log) == [f"config: {complaint}"]
