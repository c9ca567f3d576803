"""The AssemblyScript SDK by the answers of the real Envoy: a filter that does everything, and a small one."""

import asyncio
import json
import re
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bare_envoy import Plugin, Running, refused, running
from parts import toolbox
from weft.base.processes import Finished, run
from weft.errors import BuildFailed
from weft.toolchains import LANGUAGES, Job

pytestmark = [pytest.mark.real("assemblyscript", "envoy"), pytest.mark.xdist_group("assemblyscript_sdk")]

PROJECTS = Path(__file__).parent / "assemblyscript"
Built = Callable[[str], Path]

LIMIT = "limit must be a whole number from 1 to 10"
WEIGHT = "items[0].weight must be a whole number from -5 to 5"


async def execute(
    command: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str] | None = None
) -> Finished:
    """A compiler step that must go well."""
    finished = await run(command, cwd=cwd, env={"PATH": "/usr/bin:/bin", **(env or {})}, timeout=300)
    if finished.code:
        raise BuildFailed("refused", detail=finished.output)
    assert finished.output == "", "the SDK compiles without a warning"
    return finished


def build(source: Path, folder: Path) -> Path:
    """The module of a project, through the language's own builder."""
    language = LANGUAGES["assemblyscript"]
    tools = {}
    for name in language.tools:
        found = toolbox().find(name)
        assert found is not None
        tools[name] = found.path
    scratch, cache = folder / "scratch", folder / "cache"
    scratch.mkdir(parents=True)
    cache.mkdir()
    asyncio.run(language.build(Job(source, folder / "filter.wasm", scratch, cache, tools, execute)))
    return folder / "filter.wasm"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The module of a project beside this file, built once."""
    made: dict[str, Path] = {}

    def of(name: str) -> Path:
        if name not in made:
            made[name] = build(PROJECTS / name, tmp_path_factory.mktemp(name))
        return made[name]

    return of


@pytest.fixture(scope="module")
def sink(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The filter that does everything."""
    with running(tmp_path_factory.mktemp("sink"), Plugin(built("kitchen_sink"), "é ✓")) as envoy:
        yield envoy


@pytest.fixture(scope="module")
def readers(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The filter that answers what it makes of the request's body."""
    with running(tmp_path_factory.mktemp("readers"), Plugin(built("readers"))) as envoy:
        yield envoy


@pytest.mark.parametrize(
    ("config", "hello"),
    [(None, "world!"), ("", "world!"), ("tanjunchen20", "tanjunchen20"), ("日本", "日本")],
)
def test_seed_002_compiles_as_printed_and_gets_its_config(
    built: Built, tmp_path: Path, config: str | None, hello: str
) -> None:
    with running(tmp_path, Plugin(built("seed_002"), config, root_id="add_header")) as envoy:
        assert envoy.ask().one("hello") == hello


def test_a_callback_that_no_class_has_is_not_exported(built: Built) -> None:
    small, large = (exports(built(name).read_bytes()) for name in ("seed_002", "kitchen_sink"))
    assert {name for name in small if name.startswith("proxy_")} == {
        "proxy_abi_version_0_2_1",
        "proxy_on_memory_allocate",
        "proxy_on_context_create",
        "proxy_on_vm_start",
        "proxy_on_configure",
        "proxy_on_response_headers",
        "proxy_on_http_call_response",
        "proxy_on_delete",
    }
    assert large > small | {"proxy_on_request_body", "proxy_on_tick", "proxy_on_grpc_close", "proxy_on_log"}


def test_the_module_asks_for_nothing_that_it_does_not_use(built: Built) -> None:
    assert imports(built("seed_002").read_bytes()) == {
        "proxy_add_header_map_value",
        "proxy_get_buffer_bytes",
        "proxy_get_property",
        "proxy_log",
        "proxy_set_effective_context",
    }


class TestHeaders:
    def test_are_added_replaced_removed_and_read(self, sink: Running) -> None:
        large = "v" * 6000
        answer = sink.ask("/headers", headers={
            "x-twice": "1", "x-old": "old", "x-gone": "here", "x-long": large,
            "x-unicode-in": "日本", "x-raw": "abc",
        })  # fmt: skip
        received = sink.upstream.seen[-1]
        assert received.all("x-twice") == ["1", "2"]
        assert received.one("x-old") == "new"
        assert received.one("x-gone") is None
        assert received.one("x-seen") == "6000 |"
        assert received.one("x-unicode") == "日本 é ✓ 🦊 �"
        assert received.one("x-large") == "0123456789" * 900
        assert (received.one("x-raw-size"), received.one("x-size")) == ("3", "true")
        assert (answer.all("x-from"), answer.one("x-status")) == (["upstream", "filter"], "200")

    def test_are_read_and_set_as_a_list(self, sink: Running) -> None:
        sink.ask("/list", headers={"x-a": "1", "x-b": "2", "kept": "yes"})
        received = dict(sink.upstream.seen[-1].headers)
        assert (received["kept"], received["host"], received["x-empty"]) == ("yes", "test", "")
        assert int(received["x-list"]) > 5
        assert "x-a" not in received

    def test_trailers_too(self, sink: Running) -> None:
        answer = sink.ask("/trailers", method="POST", body=b"data", trailers={"x-sum": "7"})
        assert sink.upstream.seen[-1].trailers == [("x-checked", "7 of 1")]
        assert answer.trailers == [("x-trailer", "upstream"), ("x-added", "by the filter")]


def test_a_request_is_answered_by_the_filter(sink: Running) -> None:
    answer = sink.ask("/local")
    assert (answer.status, answer.all("x-pot"), answer.body) == (
        418, ["tea", "more tea"], b"short and stout\n",
    )  # fmt: skip


def test_a_new_path_gets_a_new_route(sink: Running) -> None:
    assert sink.ask("/reroute").status == 299


def test_bodies_are_read_and_changed(sink: Running) -> None:
    body = bytes(range(33, 127)) * 200
    answer = sink.ask("/body", method="POST", body=body)
    assert sink.upstream.seen[-1].body == b"<" + body + b">"
    assert answer.body == b"replaced"
    assert sink.logged(rf"body of {len(body)} bytes")


def test_metrics_count_and_are_read_back(sink: Running) -> None:
    assert sink.ask("/metrics").body == b"5 7 70 2 1"
    stats = sink.stats("sink_")
    assert "wasmcustom.sink_counter: 5" in stats
    assert "wasmcustom.sink_recorded: 9" in stats
    assert "wasmcustom.sink_histogram" in stats


def test_data_and_queues_are_shared(sink: Running) -> None:
    assert sink.ask("/shared").body == b"1 0 8 second true 1"
    assert sink.logged("queue: a letter")
    assert sink.logged("queue then: 7")


def test_properties_and_foreign_functions(sink: Running) -> None:
    path, plugin, own, missing, compressed, unknown = sink.ask("/properties").body.decode().split()
    assert (path, plugin, own, missing, unknown) == ("/properties", "plugin", "mine", "0", "0")
    assert int(compressed) > 0


def test_time_console_and_chance_come_from_the_proxy(sink: Running) -> None:
    seconds, close, chance = sink.ask("/time").body.decode().split()
    assert int(seconds) > 1_700_000_000
    assert (close, chance) == ("true", "true")
    sink.logged(r"\[info\].*console says 1")
    sink.logged(r"\[error\].*Assertion failed: as it should")


class TestCalls:
    def test_are_answered_in_the_stream_that_asked(self, sink: Running) -> None:
        sink.ask("/call")
        called, passed = sink.upstream.seen[-2:]
        assert (called.first_line, called.body) == ("POST /called HTTP/1.1", b"a question")
        told = [passed.one(f"x-call-{what}") for what in ("status", "from", "body", "trailer", "counts")]
        assert told == ["200", "upstream", "a question", "upstream", "true 1"]

    def test_fail_with_no_headers(self, sink: Running) -> None:
        assert sink.ask("/call-nobody").status == 200
        assert sink.upstream.seen[-1].one("x-call-status") == "503"

    def test_take_too_long(self, sink: Running) -> None:
        sink.ask("/call", headers={"x-wait": "2.5"})
        assert sink.upstream.seen[-1].one("x-call-counts") == "true 0"
        assert sink.upstream.seen[-1].one("x-call-status") == "504"

    def test_cannot_be_made_to_an_unknown_cluster(self, sink: Running) -> None:
        assert sink.ask("/call-unknown").body == b"not called: 2"

    def test_of_a_stream_that_went_away_are_forgotten(self, sink: Running) -> None:
        with socket.create_connection(("127.0.0.1", sink.port)) as connection:
            connection.sendall(b"GET /call HTTP/1.1\r\nhost: gone\r\nx-wait: 0.3\r\n\r\n")
            asked = len(sink.upstream.seen)
            while len(sink.upstream.seen) == asked:
                sink.ask("/until-it-arrived")
        sink.logged("deleted /call")
        sink.ask("/call")
        assert sink.upstream.seen[-1].one("x-call-status") == "200"

    def test_come_from_a_timer(self, sink: Running) -> None:
        sink.ask("/tick")
        sink.logged("ticked")
        sink.logged(r"tick answered, context \d+")
        assert "POST /from-tick HTTP/1.1" in [message.first_line for message in sink.upstream.seen]

    def test_of_grpc_close(self, sink: Running) -> None:
        assert sink.ask("/grpc").body == b"grpc closed: 14"


def test_a_stream_ends_in_order(sink: Running) -> None:
    sink.ask("/in-order")
    sink.logged("deleted /in-order")
    ended = re.findall(r": (\w+ /in-order.*)", sink.log())
    assert ended == ["access /in-order 200", "deleted /in-order"]


def test_a_stream_lives_on_until_it_says_that_it_is_done(sink: Running) -> None:
    sink.ask("/unfinished")
    sink.logged("deleted /unfinished late")


def test_the_config_arrives_whole(sink: Running) -> None:
    assert sink.logged("configured with 6 bytes: é ✓")


def test_a_config_is_refused(built: Built, tmp_path: Path) -> None:
    assert "Failed to configure base Wasm plugin" in refused(
        tmp_path, Plugin(built("kitchen_sink"), "refuse")
    )


def test_an_unknown_root_id_is_explained(built: Built, tmp_path: Path) -> None:
    log = refused(tmp_path, Plugin(built("two_roots"), root_id="third"))
    assert 'no root context is registered as "third"; root_id must be one of: first second' in log


def test_the_only_filter_needs_no_root_id(built: Built, tmp_path: Path) -> None:
    with running(tmp_path, Plugin(built("seed_002"), "found", root_id="")) as envoy:
        assert envoy.ask().one("hello") == "found"


def test_filters_of_one_module_keep_their_configs_apart(built: Built, tmp_path: Path) -> None:
    module = built("two_roots")
    plugins = [
        Plugin(module, "1", root_id="first", name="a"),
        Plugin(module, "2", root_id="second", name="b"),
        Plugin(module, "3", root_id="first", name="c"),
    ]
    with running(tmp_path, *plugins) as envoy:
        answer = envoy.ask()
    assert (sorted(answer.all("x-first")), answer.all("x-second")) == (["1", "3"], ["2"])


def test_an_error_says_what_and_where_and_who_called(built: Built, tmp_path: Path) -> None:
    with running(tmp_path, Plugin(built("kitchen_sink"))) as envoy:
        assert envoy.ask("/throw").status == 503
        envoy.logged(r"\[critical\].*: thrown on purpose at assembly/index.ts:\d+:\d+\n")
        envoy.logged(r"- assembly/index/Sink#onRequestHeaders\n")


def test_memory_is_used_again(readers: Running) -> None:
    def used() -> int:
        return int(readers.ask("/memory", method="POST", body=b"?").body)

    for _ in range(50):
        readers.ask("/json", method="POST", body=json.dumps(["x" * 5000] * 4).encode())
    warm = used()
    for _ in range(500):  # each leaves more than 100 KB behind
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
        pytest.param(
            " " * (1 << 20) + "1", "longer than 1048576 characters at line 1, column 1", id="length"
        ),
    ],
)
def test_wrong_json_is_refused_with_its_place(readers: Running, text: str, error: str) -> None:
    assert read_json(readers, text) == f"error: {error}"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
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
)  # fmt: skip
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
        pytest.param('{"name": 1}', "name must be a string", id="string"),
        pytest.param('{"header": "a b"}', "header must be a valid header name", id="header name"),
        pytest.param('{"header": ""}', "header must be a valid header name", id="no header name"),
        pytest.param('{"loud": "yes"}', "loud must be true or false", id="truth"),
        pytest.param('{"limit": 11}', LIMIT, id="too large"),
        pytest.param('{"limit": 1.5}', LIMIT, id="fraction"),
        pytest.param('{"limit": 1e1}', LIMIT, id="exponent"),
        pytest.param('{"limit": 99999999999999999999}', LIMIT, id="huge"),
        pytest.param('{"items": {}}', "items must be an array of objects", id="list"),
        pytest.param('{"items": [1]}', "items[0] must be an object", id="item"),
        pytest.param('{"items": [{}]}', "items[0].id is missing", id="missing"),
        pytest.param('{"items": [{"id": "a", "weight": -6}]}', WEIGHT,
                     id="inside an item"),
        pytest.param(
            '{"items": [{"id": "a", "x": 1}]}', "items[0].x is not a known key", id="unknown in an item"
        ),
        pytest.param('{"nmae": "x"}', "nmae is not a known key", id="unknown"),
        pytest.param('{"a\\nb": 1}', "a?b is not a known key", id="line break"),
        pytest.param('{"name": 1, "loud": 1}', "name must be a string", id="only the first"),
    ],
)  # fmt: skip
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


@pytest.mark.parametrize("library", ["assemblyscript", "wasm"])
def test_the_same_source_gives_the_same_bytes_anywhere(built: Built, tmp_path: Path, library: str) -> None:
    source = tmp_path / library / "deeper"
    (source / "assembly").mkdir(parents=True)
    text = (PROJECTS / "seed_002" / "assembly" / "index.ts").read_text()
    (source / "assembly" / "index.ts").write_text(text)
    module = build(source, tmp_path / "out").read_bytes()
    assert module == built("seed_002").read_bytes()
    assert str(tmp_path).encode() not in module


def test_the_compilers_words_are_handed_on(tmp_path: Path) -> None:
    (tmp_path / "assembly").mkdir()
    (tmp_path / "assembly" / "index.ts").write_text("export function f(): i32 { return name; }\n")
    with pytest.raises(BuildFailed) as caught:
        build(tmp_path, tmp_path / "out")
    assert "ERROR TS2304: Cannot find name 'name'." in str(caught.value.detail)
    assert "in assembly/index.ts(1,35)" in str(caught.value.detail)
    assert not (tmp_path / "out" / "filter.wasm").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["assembly", "out"]


def exports(module: bytes) -> set[str]:
    """The names a module exports."""
    from weft.wasm import read_module

    return {export.name for export in read_module(module).exports}


def imports(module: bytes) -> set[str]:
    """The names a module imports."""
    from weft.wasm import read_module

    return {one.name for one in read_module(module).imports}
