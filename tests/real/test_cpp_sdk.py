"""The C++ SDK in the real Envoy: everything it offers, and the filters people wrote before there was weft."""

from pathlib import Path

import pytest

from modules.cpp import STRICT, compile_cpp, source
from weft.errors import BuildFailed
from weft.wasm import CALLBACKS, Kind, read_module
from worlds.bare_envoy import Message, Plugin, Running, refused, running

pytestmark = [pytest.mark.real("cpp", "envoy"), pytest.mark.xdist_group("cpp_sdk")]


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Plugin:
    """The filter that uses all of the SDK, compiled without a warning."""
    folder = tmp_path_factory.mktemp("everything")
    module = compile_cpp(folder, {"filter.cc": source("everything.cc")}, flags=STRICT)
    return Plugin(
        module, "for the plugin", "everything", vm_id="one", name="all of it", vm_config="for the VM"
    )


# What is answered later, without a request of ours.
LAST = (
    "out of the queue",
    "its answer",
    "a failed HTTP call",
    "a failed gRPC call",
    "the second callback",
    "a gRPC handler",
    "a gRPC stream's handler is freed",
)


def said(envoy: Running) -> list[str]:
    """What the filter logged, in order."""
    return envoy.logged(r"wasm log[^:]*: (.*)")


def exports(module: Path) -> set[str]:
    return set(read_module(module.read_bytes()).exported(Kind.FUNC))


def test_everything_is_exported_under_its_name(everything: Plugin) -> None:
    callbacks = {callback.name for callback in CALLBACKS if "0.2.1" in callback.abis}
    entries = {"_initialize", "proxy_abi_version_0_2_1", "proxy_on_memory_allocate"}
    assert callbacks | entries <= exports(everything.module)


def test_everything_works(everything: Plugin, tmp_path: Path) -> None:
    with running(tmp_path, everything) as envoy:
        for last in LAST:
            envoy.logged(f"yes: {last}")
        posted = envoy.ask(
            "/posted", method="POST", body=b"tick tock", trailers={"t-sent": "1", "t-gone": "1"}
        )
        received = envoy.upstream.seen[-1]
        assert envoy.ask("/wait").status == 200
        local = envoy.ask("/local")
        envoy.logged("yes: the end comes last")
        stats = envoy.stats("wasmcustom")
        lines = said(envoy)
    assert [line for line in lines if line.startswith("NO: ")] == []
    assert {"yes: a stream goes on", "yes: request trailers", "yes: a stream is logged"} <= set(lines)
    assert "[filter.cc:" in next(line for line in lines if line.endswith("::onConfigure() a number 7"))
    assert "nobody listens" not in "".join(lines)
    check_request(received)
    assert (posted.one("x-added"), posted.body) == ("b", b"tick boom!!")
    assert posted.trailers == [("x-set", "all"), ("x-added", "2")]
    assert (local.status, local.one("x-tea"), local.body) == (418, "pot", b"short and stout\n!")
    check_metrics(stats)


def check_request(received: Message) -> None:
    """The upstream got what the filter made of the request."""
    assert received.body == b"tick boom!"
    assert (received.all("x-twice"), received.all("x-new"), received.all("x-gone")) == (["1", "2"], ["3"], [])
    assert received.trailers == [("t-added", "1"), ("t-sent", "2")]


def check_metrics(stats: str) -> None:
    assert "wasmcustom.text.a.number.7.truth.true.tagged: " in stats
    assert "wasmcustom.text.b.number.8.truth.false.more.c.tagged: " in stats
    assert "wasmcustom.kind.x.gauge: 11" in stats
    assert "wasmcustom.one=p_two=2_loose: 22" in stats
    assert "wasmcustom.kind.y.histogram: " in stats


def test_all_headers_of_a_request_can_be_set_at_once(everything: Plugin, tmp_path: Path) -> None:
    with running(tmp_path, everything) as envoy:
        assert envoy.ask("/set").status == 200
        received = envoy.upstream.seen[-1]
    assert (received.first_line, received.all("host")) == ("GET /other HTTP/1.1", ["set"])


def test_tcp_connections_pass_through_a_filter(everything: Plugin, tmp_path: Path) -> None:
    with running(tmp_path, everything, tcp=True) as envoy:
        answer = envoy.ask("/ping")
        envoy.logged("yes: a connection's end")
        lines = said(envoy)
        received = [each.first_line for each in envoy.upstream.seen]
    assert answer.first_line == "HTTP/1.1 200 So"
    assert "GET /PING HTTP/1.1" in received
    assert "yes: a connection" in lines
    assert [line for line in lines if line.startswith("NO: ")] == []


@pytest.mark.parametrize(
    ("path", "last_words", "frames"),
    [
        pytest.param(
            "/crash/vector",
            'out_of_range was thrown in -fno-exceptions mode with message "vector"',
            ["std::__1::__libcpp_verbose_abort", "Everything::crash", "Everything::onRequestHeaders"],
            id="the standard library would have thrown",
        ),
        pytest.param(
            "/crash/abort", "this is the end", ["logAbort", "Everything::crash"], id="the filter gives up"
        ),
        pytest.param("/crash/check", "not Ok: ", ["logAbort", "Everything::crash"], id="a check fails"),
    ],
)
def test_a_crash_tells_why_and_where(
    everything: Plugin, tmp_path: Path, path: str, last_words: str, frames: list[str]
) -> None:
    with running(tmp_path, everything) as envoy:
        assert envoy.ask(path).status == 503
        words = envoy.logged(r"\[critical\]\[wasm\] .*?wasm log[^:]*: (.*)")
        backtrace = envoy.log().partition("in-VM backtrace:")[2]
    assert words[0].startswith(last_words)
    for frame in frames:
        assert frame in backtrace


def test_a_root_id_that_nobody_registered_is_refused_by_name(everything: Plugin, tmp_path: Path) -> None:
    log = refused(tmp_path, Plugin(everything.module, root_id="anything"))
    assert 'root id "anything" is not one of this module\'s: "everything"' in log


def test_a_callback_that_is_not_overridden_is_not_exported(tmp_path: Path) -> None:
    text = """
    #include "proxy_wasm_intrinsics.h"
    class Base : public Context {
     public:
      using Context::Context;
      void onLog() override {}
    };
    class Filter : public Base {
     public:
      using Base::Base;
     private:
      FilterHeadersStatus onResponseHeaders(uint32_t, bool) override { return FilterHeadersStatus::Continue; }
    };
    static RegisterContextFactory registered(CONTEXT_FACTORY(Filter));
    """
    exported = exports(compile_cpp(tmp_path, {"filter.cc": text}, flags=STRICT))
    per_stream = {"request", "response", "done", "log", "new", "downstream", "upstream"}
    kept = {name for name in exported if name.removeprefix("proxy_on_").split("_")[0] in per_stream}
    assert kept == {"proxy_on_response_headers", "proxy_on_log"}


@pytest.mark.parametrize(
    "registration",
    [
        pytest.param("CONTEXT_FACTORY(Filter), ROOT_FACTORY(Root)", id="both"),
        pytest.param("CONTEXT_FACTORY(Filter), nullptr", id="no root"),
        pytest.param("make_filter, ROOT_FACTORY(Root)", id="a function"),
        pytest.param("ContextFactory(make_filter), RootFactory(ROOT_FACTORY(Root))", id="function objects"),
    ],
)
def test_factories_come_in_many_forms(tmp_path: Path, registration: str) -> None:
    text = f"""
    #include "proxy_wasm_intrinsics.h"
    class Root : public RootContext {{
     public:
      using RootContext::RootContext;
    }};
    class Filter : public Context {{
     public:
      using Context::Context;
      FilterHeadersStatus onResponseHeaders(uint32_t, bool) override {{
        addResponseHeader("made", "yes");
        return FilterHeadersStatus::Continue;
      }}
    }};
    [[maybe_unused]] static std::unique_ptr<Context> make_filter(uint32_t id, RootContext *root) {{
      return std::make_unique<Filter>(id, root);
    }}
    static RegisterContextFactory registered({registration});
    """
    module = compile_cpp(tmp_path, {"filter.cc": text}, flags=STRICT)
    with running(tmp_path, Plugin(module, root_id="")) as envoy:
        assert envoy.ask().one("made") == "yes"


@pytest.mark.parametrize("abi", ["0.1.0", "0.2.0", "0.2.1"])
def test_filters_in_wasmes_shape_work_under_every_abi(tmp_path: Path, abi: str) -> None:
    module = compile_cpp(tmp_path, {"filter.cc": source("wasme_add_header.cc")}, abi=abi)
    assert f"proxy_abi_version_{abi.replace('.', '_')}" in exports(module)
    config = '{"name": "hello", "value": "world"}'
    with running(tmp_path, Plugin(module, config, "add_header_root_id")) as envoy:
        answer = envoy.ask("/any", method="POST", body=b"body")
        envoy.logged("::onDelete")
    assert (answer.status, answer.all("hello"), answer.all("location")) == (200, ["world"], ["envoy-wasm"])


def test_path_rewriting_with_std_regex_works(tmp_path: Path) -> None:
    module = compile_cpp(tmp_path, {"filter.cc": source("wasme_path_rewrite.cc")})
    config = '{"rewrites": [ {"regex_match":"...", "custom_path": "/anything"} ]}'
    with running(tmp_path, Plugin(module, config, "add_header_root_id")) as envoy:
        for path in ("/ab", "/abc"):
            assert envoy.ask(path).status == 200
        received = envoy.upstream.seen
    assert [(each.first_line.split()[1], each.all("location")) for each in received] == [
        ("/anything", ["envoy-wasm"]),
        ("/abc", []),
    ]


def test_several_sources_are_one_filter_and_its_bytes_do_not_depend_on_the_folder(tmp_path: Path) -> None:
    sources = {
        "filter.cc": """
            #include "proxy_wasm_intrinsics.h"
            #include "part.h"
            class Filter : public Context {
             public:
              using Context::Context;
              FilterHeadersStatus onResponseHeaders(uint32_t, bool) override {
                LOG_INFO("here");
                addResponseHeader(part(), __FILE__);
                return FilterHeadersStatus::Continue;
              }
            };
            static RegisterContextFactory registered(CONTEXT_FACTORY(Filter));
        """,
        "part.h": 'extern "C" const char *part();\n#include <string>\nstd::string other();\n',
        "src/part.c": "const char *part(void) { return TITLE; }\n",
        "src/other.cpp": """
            #include "proxy_wasm_intrinsics.h"
            #include "../part.h"
            std::string other() { return getConfiguration()->toString(); }
        """,
    }
    modules = []
    for name in ("here", "somewhere/else"):
        (tmp_path / name).mkdir(parents=True)
        modules.append(compile_cpp(tmp_path / name, sources, defines=['TITLE="title"']))
    assert modules[0].read_bytes() == modules[1].read_bytes()
    assert str(tmp_path).encode() not in modules[0].read_bytes()
    with running(tmp_path, Plugin(modules[0], root_id="")) as envoy:
        assert envoy.ask().one("title") == "filter.cc"


def test_the_compilers_words_reach_the_author(tmp_path: Path) -> None:
    text = '#include "proxy_wasm_intrinsics.h"\n#include "filter.pb.h"\n'
    with pytest.raises(BuildFailed) as caught:
        compile_cpp(tmp_path, {"filter.cc": text})
    assert "filter.cc:2:10: fatal error: 'filter.pb.h' file not found" in (caught.value.detail or "")
    assert caught.value.hint is not None
    assert "weft::Config" in caught.value.hint
    assert not (tmp_path / "filter.wasm").exists()
