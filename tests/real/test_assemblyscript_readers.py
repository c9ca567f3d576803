"""What comes with the AssemblyScript SDK: readers of JSON, of configs, of regular expressions.

They run in the real Envoy as one filter that answers what it makes of a request's body, and are held against
Python's own ``json`` and ``re``.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modules.assemblyscript import Built
from worlds.bare_envoy import Plugin, Running, refused, running

pytestmark = pytest.mark.real("assemblyscript", "envoy")


@pytest.fixture(scope="module")
def readers(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The filter that answers what it makes of the request's body."""
    with running(tmp_path_factory.mktemp("readers"), Plugin(built("readers"))) as envoy:
        yield envoy


def test_memory_is_used_again(readers: Running) -> None:
    def used() -> int:
        return int(readers.ask("/memory", method="POST", body=b"?").body)

    for _ in range(200):  # memory doubles when it grows; a collector that runs late may need it once
        readers.ask("/json", method="POST", body=json.dumps(["x" * 5000] * 4).encode())
    warm = used()
    for _ in range(400):  # each leaves more than 100 KB behind
        readers.ask("/json", method="POST", body=json.dumps(["x" * 5000] * 4).encode())
    assert used() == warm


def read_json(readers: Running, text: str) -> str:
    return readers.ask("/json", method="POST", body=text.encode()).body.decode()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param("{", "expected a key in quotes at line 1, column 2", id="open object"),
        pytest.param('{"a"}', "expected : at line 1, column 5", id="no colon"),
        pytest.param('{"a": }', "expected a value at line 1, column 7", id="no value"),
        pytest.param('{"a": 1,}', "expected a key in quotes at line 1, column 9", id="comma behind the last"),
        pytest.param('{"a": 1\n "b": 2}', "expected , or } at line 2, column 2", id="no comma"),
        pytest.param('{"a": 1,\n "a": 2}', "a key is there twice at line 2, column 2", id="twice"),
        pytest.param("[1, 2", "expected , or ] at line 1, column 6", id="open array"),
        pytest.param("[1] 2", "expected nothing more at line 1, column 5", id="more"),
        pytest.param("01", "expected nothing more at line 1, column 2", id="leading zero"),
        pytest.param("-", "expected a digit at line 1, column 2", id="only a sign"),
        pytest.param("1.", "expected a digit at line 1, column 3", id="no fraction"),
        pytest.param("1e", "expected a digit at line 1, column 3", id="no exponent"),
        pytest.param("+1", "expected a value at line 1, column 1", id="plus"),
        pytest.param("nul", "expected a value at line 1, column 1", id="half a word"),
        pytest.param("'a'", "expected a value at line 1, column 1", id="single quotes"),
        pytest.param('"a', "expected a closing quote at line 1, column 3", id="open string"),
        pytest.param(
            '"\n"', "expected an escape for a control character at line 1, column 2", id="line break"
        ),
        pytest.param(r'"\x"', "expected a known escape at line 1, column 3", id="unknown escape"),
        pytest.param(
            r'"\u12g4"', "expected four hexadecimal digits at line 1, column 6", id="not hexadecimal"
        ),
        pytest.param(r'"\ud83e"', "expected a surrogate pair at line 1, column 8", id="half a pair"),
        pytest.param("[" * 66, "nested more than 64 deep at line 1, column 66", id="depth"),
    ],
)
def test_wrong_json_is_refused_with_its_place(readers: Running, text: str, error: str) -> None:
    assert read_json(readers, text) == f"error: {error}"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)
SLOW_FIXTURE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=150, deadline=None, suppress_health_check=SLOW_FIXTURE)
@given(JSON, st.booleans())
def test_json_means_what_it_means_elsewhere(readers: Running, value: object, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=1)
    assert json.loads(read_json(readers, text)) == value


@settings(max_examples=150, deadline=None, suppress_health_check=SLOW_FIXTURE)
@given(st.text(st.sampled_from('{}[]":,0123-+.eE\\untrfalse \t\n'), min_size=1, max_size=12))
def test_what_is_json_is_what_others_say(readers: Running, text: str) -> None:
    def strict(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len({key for key, _ in pairs}) < len(pairs):
            raise ValueError
        return dict(pairs)

    try:
        json.loads(text, object_pairs_hook=strict)
        valid = not re.search(r"\\u[dD][89abcdefABCDEF]", text)
    except ValueError:
        valid = False
    assert read_json(readers, text).startswith("error: ") != valid


def match(readers: Running, pattern: str, text: str) -> str:
    return readers.ask("/regex", method="POST", body=f"{pattern}\0{text}".encode()).body.decode()


@pytest.mark.parametrize(
    ("pattern", "error"),
    [
        pytest.param("(", "expected ) at character 2", id="open group"),
        pytest.param("a)", "unexpected ) at character 2", id="closed too often"),
        pytest.param("[a", "expected ] at character 3", id="open set"),
        pytest.param("[b-a]", "a range that ends before it begins at character 5", id="range backwards"),
        pytest.param("*a", "nothing to repeat at character 1", id="star first"),
        pytest.param("a**", "nothing to repeat at character 3", id="star twice"),
        pytest.param("^*", "nothing to repeat at character 2", id="repeated start"),
        pytest.param("a{", "expected {m}, {m,} or {m,n} at character 3", id="no bound"),
        pytest.param("a{2", "expected {m}, {m,} or {m,n} at character 4", id="open bound"),
        pytest.param("a{3,2}", "a range that ends before it begins at character 7", id="bounds backwards"),
        pytest.param(
            "(?=a)", "expected : (no other kind of group is supported) at character 3", id="look-ahead"
        ),
        pytest.param(r"(a)\1", "unknown escape at character 5", id="back reference"),
        pytest.param(r"\bword", "unknown escape at character 2", id="word boundary"),
        pytest.param("\\", "unknown escape at character 2", id="backslash at the end"),
        pytest.param(r"\x4", "expected a hexadecimal digit at character 4", id="half a code"),
        pytest.param("(" * 102, "nested too deep at character 102", id="depth"),
        pytest.param("(a{1000}){1000}", "repeats too much", id="size"),
        pytest.param(
            "((((){4096}){4096}){4096}){4096}(a{4096}){4096}", "repeats too much", id="empty repeats"
        ),
    ],
)
def test_a_wrong_pattern_is_refused_with_its_place(readers: Running, pattern: str, error: str) -> None:
    assert match(readers, pattern, "") == f"error: {error}"


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        pytest.param("...", ["/ab", "日本語", "🦊🦊🦊"], ["/a", "/abc", "a\nb"], id="any"),
        pytest.param("", [""], ["a"], id="nothing"),
        pytest.param("a|", ["a", ""], ["aa"], id="or nothing"),
        pytest.param(
            "/(users|teams)/\\d+(/.*)?", ["/users/7", "/teams/42/x/y"], ["/users/", "/users/7x"], id="path"
        ),
        pytest.param("[^/]+", ["abc"], ["", "a/b"], id="not in the set"),
        pytest.param(r"[\w.-]+@[\d\s]", ["a.b-c@1", "x@ "], ["@1", "a@b"], id="classes in a set"),
        pytest.param(r"[]a]+", ["]a]"], ["b"], id="bracket first"),
        pytest.param(r"[a-]+", ["a-a"], ["b"], id="hyphen last"),
        pytest.param(r"\D\W\S", ["a b", "x/y"], ["1 b", "aab"], id="capital classes"),
        pytest.param(r"a{2}b{1,}c{0,2}", ["aab", "aabbcc"], ["ab", "aac", "aabccc"], id="bounds"),
        pytest.param("a*?b+?c??", ["b", "aabbc"], ["a"], id="as few as possible"),
        pytest.param("^a$|^$", ["a", ""], ["aa"], id="anchors"),
        pytest.param("a$b|(^)*x", ["x"], ["ab", "a"], id="anchors inside"),
        pytest.param(r"\x41\u00e9\/\.\$\\\{", ["Aé/.$\\{"], ["Aé/x$\\{"], id="escapes"),
        pytest.param("[🦊-🦝]", ["🦊", "🦝"], ["🦉", "x"], id="outside the basic plane"),
        pytest.param("(a*)*b", ["aaab", "b"], ["a" * 3000], id="endless ways"),
        pytest.param("(a|a|ab|b)*c", ["ab" * 500 + "c"], ["ab" * 1500], id="ambiguous"),
    ],
)
def test_patterns_match_whole_texts(readers: Running, pattern: str, yes: list[str], no: list[str]) -> None:
    assert {text: match(readers, pattern, text) for text in yes} == dict.fromkeys(yes, "yes")
    assert {text: match(readers, pattern, text) for text in no} == dict.fromkeys(no, "no")


PATTERN = st.recursive(
    st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\d", r"\W", "", "1"]),
    lambda inner: (
        st.tuples(inner, inner).map("".join)
        | st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})")
        | st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,}", "{0,2}", "*?"])).map(
            lambda pair: f"({pair[0]}){pair[1]}"
        )
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None, suppress_health_check=SLOW_FIXTURE)
@given(PATTERN, st.text(st.sampled_from("ab1 \n"), max_size=8))
def test_patterns_mean_what_they_mean_elsewhere(readers: Running, pattern: str, text: str) -> None:
    expected = "yes" if re.fullmatch(pattern, text, re.ASCII) else "no"
    assert match(readers, pattern, text) == expected


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        pytest.param("{", "not valid JSON: expected a key in quotes at line 1, column 2", id="not JSON"),
        pytest.param("[1]", "must be an object", id="not an object"),
        pytest.param(
            " " * (1 << 20) + "1",
            "not valid JSON: longer than 1048576 characters at line 1, column 1",
            id="length",
        ),
        pytest.param('{"name": 1}', "name must be a string", id="string"),
        pytest.param('{"header": "a b"}', "header must be a valid header name", id="header name"),
        pytest.param('{"header": ""}', "header must be a valid header name", id="no header name"),
        pytest.param(r'{"value": "a\nb"}', "value must be a valid header value", id="header value"),
        pytest.param('{"loud": "yes"}', "loud must be true or false", id="truth"),
        pytest.param('{"limit": 11}', "limit must be a whole number from 1 to 10", id="too large"),
        pytest.param('{"limit": 1.5}', "limit must be a whole number from 1 to 10", id="fraction"),
        pytest.param('{"limit": 1e1}', "limit must be a whole number from 1 to 10", id="exponent"),
        pytest.param(
            '{"limit": 99999999999999999999}', "limit must be a whole number from 1 to 10", id="huge"
        ),
        pytest.param('{"items": {}}', "items must be an array of objects", id="list"),
        pytest.param('{"items": [1]}', "items[0] must be an object", id="item"),
        pytest.param('{"items": [{}]}', "items[0].id is missing", id="missing"),
        pytest.param(
            '{"items": [{"id": "a", "weight": -6}]}',
            "items[0].weight must be a whole number from -5 to 5",
            id="inside an item",
        ),
        pytest.param(
            '{"items": [{"id": "a", "x": 1}]}', "items[0].x is not a known key", id="unknown in an item"
        ),
        pytest.param('{"nmae": "x"}', "nmae is not a known key", id="unknown"),
        pytest.param('{"a\\nb": 1}', "a?b is not a known key", id="line break"),
        pytest.param('{"name": 1, "loud": 1}', "name must be a string", id="only the first"),
    ],
)
def test_a_wrong_config_is_named_in_the_log(
    built: Built, tmp_path: Path, config: str, complaint: str
) -> None:
    log = refused(tmp_path, Plugin(built("readers"), config))
    assert re.findall(r"\[error\].* wasm log my_filter vm: (.*)", log) == [f"config: {complaint}"]


@pytest.mark.parametrize(
    "config",
    [
        "",
        "{}",
        '{"name": "n", "header": "X-Y", "loud": true, "limit": 10, "items": [{"id": "a", "weight": -5}]}',
    ],
)
def test_a_right_config_is_taken(built: Built, tmp_path: Path, config: str) -> None:
    with running(tmp_path, Plugin(built("readers"), config)) as envoy:
        assert read_json(envoy, "1") == "1"
