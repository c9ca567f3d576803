"""The SDK for AssemblyScript in the real Envoy: seed 002's filter, and one that does everything."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from modules.assemblyscript import PROJECTS, Built, build
from weft.errors import BuildFailed
from weft.wasm import read_module
from worlds.bare_envoy import Plugin, Running, refused, running

pytestmark = pytest.mark.real("assemblyscript", "envoy")


@pytest.fixture(scope="module")
def sink(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The filter that does everything."""
    with running(tmp_path_factory.mktemp("sink"), Plugin(built("kitchen_sink"), "é ✓")) as envoy:
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
        "proxy_on_delete",
    }
    more = {"proxy_on_request_body", "proxy_on_tick", "proxy_on_http_call_response", "proxy_on_grpc_close"}
    assert large > small | more


def test_the_module_asks_for_nothing_that_it_does_not_use(built: Built) -> None:
    assert imports(built("seed_002").read_bytes()) == {
        "proxy_add_header_map_value",
        "proxy_get_buffer_bytes",
        "proxy_get_property",
        "proxy_log",
    }


class TestHeaders:
    def test_are_added_replaced_removed_and_read(self, sink: Running) -> None:
        large = "v" * 6000
        answer = sink.ask(
            "/headers",
            headers={
                "x-twice": "1",
                "x-old": "old",
                "x-gone": "here",
                "x-long": large,
                "x-unicode-in": "日本",
                "x-raw": "abc",
            },
        )
        received = sink.upstream.latest("/headers")
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
        received = dict(sink.upstream.latest("/list").headers)
        assert (received["kept"], received["host"], received["x-empty"]) == ("yes", "test", "")
        assert int(received["x-list"]) > 5
        assert "x-a" not in received

    def test_trailers_too(self, sink: Running) -> None:
        answer = sink.ask("/trailers", method="POST", body=b"data", trailers={"x-sum": "7"})
        assert sink.upstream.latest("/trailers").trailers == [("x-checked", "7 of 1")]
        assert answer.trailers == [("x-trailer", "upstream"), ("x-added", "by the filter")]


def test_a_request_is_answered_by_the_filter(sink: Running) -> None:
    answer = sink.ask("/local")
    assert (answer.status, answer.all("x-pot"), answer.body) == (
        418,
        ["tea", "more tea"],
        b"short and stout\n",
    )


def test_a_new_path_gets_a_new_route(sink: Running) -> None:
    assert sink.ask("/reroute").status == 299


def test_bodies_are_read_and_changed(sink: Running) -> None:
    body = bytes(range(33, 127)) * 200
    answer = sink.ask("/body", method="POST", body=body)
    assert sink.upstream.latest("/body").body == b"<" + body + b">"
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
        called, passed = sink.upstream.latest("/called"), sink.upstream.latest("/call")
        assert (called.first_line, called.body) == ("POST /called HTTP/1.1", b"a question")
        told = [passed.one(f"x-call-{what}") for what in ("status", "from", "body", "trailer", "counts")]
        assert told == ["200", "upstream", "a question", "upstream", "true 1"]

    def test_fail_with_no_headers(self, sink: Running) -> None:
        assert sink.ask("/call-nobody").status == 200
        assert sink.upstream.latest("/call-nobody").one("x-call-status") == "503"

    def test_take_too_long(self, sink: Running) -> None:
        sink.ask("/call", headers={"x-wait": "2.5"})
        assert sink.upstream.latest("/call").one("x-call-counts") == "true 0"
        assert sink.upstream.latest("/call").one("x-call-status") == "504"

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
        assert sink.upstream.latest("/call").one("x-call-status") == "200"

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


def test_the_same_source_gives_the_same_bytes_anywhere(built: Built, tmp_path: Path) -> None:
    source = tmp_path / "elsewhere" / "and deeper"
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
    return {one.name for one in read_module(module).exports}


def imports(module: bytes) -> set[str]:
    """The names a module imports."""
    return {one.name for one in read_module(module).imports}
