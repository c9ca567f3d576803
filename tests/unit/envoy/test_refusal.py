"""What Envoy and the filter log becomes an error that helps. The logs are Envoy 1.40's, shortened."""

import pytest

from weft.envoy.logs import LogParser, Record
from weft.envoy.refusal import explain_end, explain_refusal, is_explained, symbolized
from weft.errors import FilterRefused, UsageError, WeftError
from weft.mesh import Plugin

MINE = Plugin(id="mine", module="/mine.wasm", root_id="root")
UNABLE = "[critical][main] error initializing configuration '/x.json': Unable to create Wasm plugin mine"
WRONG = "exports a function with a wrong signature"
FAILED = "[critical][wasm] Plugin mine failed to load"


def log(*lines: str) -> list[Record]:
    parser = LogParser()
    text = "".join(
        f"[2026-11-20 22:12:25.206][1]{line}\n" if line.startswith("[") else f"{line}\n" for line in lines
    )
    return parser.feed(text.encode()) + parser.flush()


def end(*lines: str, plugins: tuple[Plugin, ...] = (MINE,)) -> WeftError:
    return explain_end(log(*lines), 1, plugins)


def test_a_refused_config_is_told_in_the_filters_words() -> None:
    error = end(
        "[info][wasm] wasm log root mine: hello",
        "[error][wasm] wasm log root mine: config: value must be a string",
        "[error][wasm] wasm log other: not mine",
        "[error][wasm] wasm log root mine: config: value must be a string",
        "[error][wasm] Wasm VM failed Failed to configure base Wasm plugin",
        FAILED,
        UNABLE,
    )
    assert isinstance(error, FilterRefused)
    assert str(error) == "mine refused its configuration"
    assert error.detail == "config: value must be a string"
    assert error.hint is None


def test_a_filter_that_has_no_complaint_is_quoted_as_it_is() -> None:
    error = end(
        "[info][wasm] wasm log root mine: bad things",
        "[error][wasm] Wasm VM failed Failed to configure base Wasm plugin",
        UNABLE,
    )
    assert error.detail == "bad things"


def test_a_silent_filter_is_told_to_speak() -> None:
    error = end("[error][wasm] Wasm VM failed Failed to start base Wasm", UNABLE)
    assert str(error) == "mine refused to start: its proxy_on_vm_start said no"
    assert error.detail is None
    assert error.hint == "the filter gave no reason; let it log one before it returns false"


def test_a_trap_shows_where() -> None:
    error = end(
        "[critical][wasm] wasm log root mine: panicked at src/lib.rs:7",
        "[error][wasm] Function: proxy_on_configure failed: Uncaught RuntimeError: unreachable",
        "Proxy-Wasm plugin in-VM backtrace:",
        "  0:  0x1cf - fail_on_purpose",
        "  1:  0x189 - proxy_on_configure",
        "[error][wasm] Wasm VM failed Failed to configure base Wasm plugin",
        UNABLE,
    )
    assert isinstance(error, FilterRefused)
    assert str(error) == "mine trapped in proxy_on_configure: RuntimeError: unreachable"
    assert error.detail == (
        "panicked at src/lib.rs:7\n"
        "Proxy-Wasm plugin in-VM backtrace:\n"
        "  0:  0x1cf - fail_on_purpose\n"
        "  1:  0x189 - proxy_on_configure"
    )
    assert error.hint is None


def test_a_trap_without_names_says_how_to_get_them() -> None:
    error = end(
        "[error][wasm] Function: proxy_on_vm_start failed: Uncaught RuntimeError: unreachable", UNABLE
    )
    assert error.detail is None
    assert error.hint == "a module that keeps its names shows where: do not strip them"


def test_the_frames_of_a_backtrace_are_said_by_the_module() -> None:
    trace = "  0:  0x1cf - f\n  1:  0x2 - unknown(function index:7)"
    shown = symbolized(trace, "mine", lambda name, lines: [name, *reversed(lines)])
    assert shown == "mine\n  1:  0x2 - unknown(function index:7)\n  0:  0x1cf - f"
    assert symbolized(trace, "mine", None) == trace


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (
            "Failed to load Wasm module due to a missing import: env.abort",
            "mine imports env.abort, which Envoy does not offer",
        ),
        (
            "Bad function signature for: proxy_on_log, want: i32 -> void, but the module exports: void",
            f"mine {WRONG}: proxy_on_log, want: i32 -> void, but the module exports: void",
        ),
        (
            "Wasm VM failed Missing or unknown Proxy-Wasm ABI version",
            "mine does not name a proxy-wasm ABI that Envoy knows",
        ),
        (
            "Wasm VM failed Wasm module is missing malloc function.",
            "mine exports neither proxy_on_memory_allocate nor malloc",
        ),
        (
            "Wasm VM failed Failed to parse corrupted Wasm module",
            "mine is not a WebAssembly module that Envoy can read",
        ),
        (
            "Wasm VM failed Failed to create new Wasm instance",
            "mine cannot be started: too much memory, or its start function failed",
        ),
    ],
)
def test_what_envoy_misses_in_a_module_is_named(line: str, fault: str) -> None:
    error = end(
        f"[error][wasm] {line}", "[error][wasm] Wasm VM failed Failed to load Wasm code", FAILED, UNABLE
    )
    assert isinstance(error, FilterRefused)
    assert str(error) == fault
    assert error.hint == "weft check says what Envoy wants of a module"


def test_a_reason_nobody_knows_is_quoted() -> None:
    error = explain_refusal(
        log("[warning][config] Filesystem config update rejected: Invalid path: /x"), "mine"
    )
    assert str(error) == ("mine was refused by Envoy: Filesystem config update rejected: Invalid path: /x")
    assert str(explain_refusal([], "mine")) == "mine was refused by Envoy"


def test_what_a_refusal_says_is_known() -> None:
    said = log(
        "[error][wasm] Failed to load Wasm module due to a missing import: env.abort",
        "[error][wasm] Wasm VM failed Failed to initialize Wasm code",
        FAILED,
        "[critical][wasm] Plugin configured to fail closed failed to load",
        "[error][upstream] no healthy host",
    )
    assert [is_explained(record) for record in said] == [True, True, True, True, False]


@pytest.mark.parametrize(
    ("words", "kind", "message", "hint"),
    [
        pytest.param(
            "cannot bind '127.0.0.1:8080': Address already in use",
            WeftError,
            "127.0.0.1:8080 is taken by another program",
            "choose another port with --port or --admin-port; 0 takes a free one",
            id="busy",
        ),
        pytest.param(
            "cannot bind '127.0.0.1:80': Permission denied",
            WeftError,
            "Envoy cannot listen on 127.0.0.1:80: Permission denied",
            "ports below 1024 are for root; choose another with --port",
            id="not allowed",
        ),
        pytest.param(
            "cannot bind '10.9.9.9:80': Cannot assign requested address",
            WeftError,
            "Envoy cannot listen on 10.9.9.9:80: Cannot assign requested address",
            None,
            id="not ours",
        ),
        pytest.param(
            "Protobuf message has unknown fields",
            UsageError,
            "Envoy does not accept the bootstrap",
            None,
            id="unknown field",
        ),
    ],
)
def test_why_envoy_would_not_start(words: str, kind: type[WeftError], message: str, hint: str | None) -> None:
    error = end(f"[critical][main] error `{words}` initializing config '/b.json'", words)
    assert type(error) is kind
    assert str(error) == message
    assert error.hint == hint
    assert error.detail == (words if kind is UsageError else None)


@pytest.mark.parametrize("between", [(), ("",)], ids=["nothing between", "a blank line between"])
def test_arguments_that_envoy_does_not_know_are_named_without_all_others(between: tuple[str, ...]) -> None:
    error = end(
        "PARSE ERROR: Argument: --nonsense",
        "             Couldn't find match for argument",
        *between,
        "Brief USAGE: ",
        "   envoy  [--stats-tag <string>] ...",
    )
    assert isinstance(error, UsageError)
    assert str(error) == (
        "--envoy-run-args: Envoy does not know Argument: --nonsense Couldn't find match for argument"
    )


def test_an_unexplained_end_shows_the_last_lines() -> None:
    error = explain_end(log(*(f"[info][main] line {number}" for number in range(30))), 139)
    assert str(error) == "Envoy ended with exit code 139"
    assert error.detail == "\n".join(f"line {number}" for number in range(10, 30))
    assert explain_end([], 1).detail is None


def test_somebody_elses_filter_is_explained_too() -> None:
    error = explain_end(
        log(
            "[error][wasm] wasm log theirs: no licence",
            "[error][wasm] Wasm VM failed Failed to configure base Wasm plugin",
            "[critical][main] error initializing configuration 'x': Unable to create Wasm plugin theirs",
        ),
        1,
        [],
    )
    assert str(error) == "theirs refused its configuration"
    assert error.detail == "no licence"
