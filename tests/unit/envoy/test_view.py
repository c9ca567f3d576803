"""What a person sees of the log."""

from collections.abc import Sequence

from weft.envoy import LogView, Record
from weft.mesh import Plugin

ONE = [Plugin(id="one", module="/1")]
TWO = [*ONE, Plugin(id="two", module="/2")]
TRAP = Record(
    "error",
    "wasm",
    "Function: proxy_on_log failed: Uncaught RuntimeError: x\ntrace:\n  0:  0x1 - unknown(function index:3)",
)


def test_a_filters_words_are_shown_under_its_name_line_by_line() -> None:
    view = LogView(TWO)
    assert view.lines(Record("warning", "wasm", "wasm log two two: a\nb")) == [
        "two | warning | a",
        "two | warning | b",
    ]


def test_a_trap_is_shown_with_its_backtrace() -> None:
    def symbolize(name: str, trace: Sequence[str]) -> list[str]:
        return [f"{line} of {name}" for line in trace]

    assert LogView(ONE, symbolize=symbolize).lines(TRAP) == [
        "one | error | trapped in proxy_on_log: RuntimeError: x",
        "one | error | trace: of one",
        "one | error |   0:  0x1 - unknown(function index:3) of one",
    ]


def test_envoy_does_not_say_which_of_two_filters_trapped() -> None:
    assert LogView(TWO).lines(TRAP)[0] == "filter | error | trapped in proxy_on_log: RuntimeError: x"


def test_envoys_own_errors_are_shown_and_the_rest_on_request() -> None:
    error, warning = Record("error", "upstream", "no host"), Record("warning", "main", "slow")
    quiet, loud = LogView(ONE), LogView(ONE, everything=True)
    assert quiet.lines(error) == loud.lines(error) == ["envoy | error | no host"]
    assert quiet.lines(warning) == []
    assert loud.lines(warning) == ["envoy | warning | slow"]


def test_what_a_refusal_will_explain_is_shown_on_request_only() -> None:
    record = Record("critical", "wasm", "Plugin one failed to load")
    assert LogView(ONE).lines(record) == []
    assert LogView(ONE, everything=True).lines(record) == ["envoy | critical | Plugin one failed to load"]


def test_host_calls_are_shown_on_request() -> None:
    record = Record("trace", "wasm", "[host->vm] proxy_on_log(2)")
    assert LogView(ONE).lines(record) == []
    assert LogView(ONE, host_calls="decoded").lines(record) == ["wasm | trace | > proxy_on_log(context=2)"]
    assert LogView(ONE, host_calls="plain").lines(record) == ["wasm | trace | [host->vm] proxy_on_log(2)"]


def test_what_only_looks_like_a_host_call_is_not_shown() -> None:
    assert LogView(ONE, host_calls="decoded").lines(Record("trace", "http", "[host->vm] f(2)")) == []
