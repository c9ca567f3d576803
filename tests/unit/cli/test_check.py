"""``weft check`` without an Envoy: the verdict rule by rule. With one: tests/real/test_check.py."""

import json
from pathlib import Path

import pytest

from conftest import Weft
from modules.wasm_encoder import proxy_module

TICK = {"proxy_on_tick": "i32 -> void"}
GOOD = proxy_module(exports=TICK)
BAD = proxy_module(
    exports=TICK | {"proxy_on_header": "i32 -> void"},
    imports=[("env", "abort", "i32 -> void"), ("env", "proxy_get_log_level", "i32 -> i32")],
    abi="0_2_0",
)


@pytest.fixture
def env(env: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """A home without any tools."""
    return env | {"WEFT_HOME": str(tmp_path / "bare-home")}


def write(folder: Path, data: bytes) -> Path:
    file = folder / "filter.wasm"
    file.write_bytes(data)
    return file


def test_a_good_filter_passes_every_rule(weft: Weft, tmp_path: Path) -> None:
    result = weft("check", write(tmp_path, GOOD), "--offline")
    assert (result.code, result.err) == (0, "")
    assert result.out == (
        "ok    abi        claims an ABI version Envoy knows\n"
        "ok    names      the name section can be read\n"
        "ok    types      imports and exports are of types Envoy's V8 can hand over\n"
        "ok    imports    Envoy serves every import, with that type\n"
        "ok    memory     memory is within Envoy's limits and exported\n"
        "ok    entry      entry points have the right signature\n"
        "ok    allocator  the host can allocate in the module\n"
        "ok    callbacks  callbacks have the signatures of the ABI version\n"
    )


def test_a_bad_filter_is_told_everything_at_once(weft: Weft, tmp_path: Path) -> None:
    file = write(tmp_path, BAD)
    result = weft("check", file, "--offline")
    assert (result.code, result.err) == (6, f"error: Envoy would not run {file}\n")
    said = " " * 17 + "Envoy says: Failed to load Wasm module due to a missing import: env."
    only = "which Envoy has only for ABI 0.2.1; the module claims 0.2.0"
    assert result.out.splitlines()[3:9] == [
        "FAIL  imports    imports env.abort, which Envoy does not have",
        f"{said}abort",
        "                 AssemblyScript: compile with --use abort=<a function of your own>",
        f"FAIL  imports    imports env.proxy_get_log_level, {only}",
        f"{said}proxy_get_log_level",
        "ok    memory     memory is within Envoy's limits and exported",
    ]
    assert result.out.splitlines()[-1] == "warn  callbacks  exports proxy_on_header, which Envoy never calls"


def test_programs_get_the_same_and_the_same_exit_code(weft: Weft, tmp_path: Path) -> None:
    result = weft("check", write(tmp_path, BAD), "--offline", "-o", "json")
    document = json.loads(result.out)
    assert (result.code, document["loads"], document["envoy"]) == (6, False, None)
    assert [rule["name"] for rule in document["rules"] if rule["problems"]] == ["imports", "callbacks"]


def test_where_there_is_no_envoy_the_rules_decide_and_say_so(weft: Weft, tmp_path: Path) -> None:
    result = weft("check", write(tmp_path, GOOD))
    assert result.code == 0
    assert (
        result.out.splitlines()[-1]
        == "-     envoy      not asked, there is none here (weft toolchain install envoy)"
    )


def test_an_envoy_that_is_named_must_be_there(weft: Weft, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    result = weft("check", write(tmp_path, GOOD), "--envoy", gone)
    assert (result.code, result.err) == (3, f"error: --envoy: {gone} does not exist\n")
    result = weft("check", write(tmp_path, GOOD), WEFT_ENVOY=str(gone))
    assert (result.code, result.err) == (3, f"error: WEFT_ENVOY: {gone} does not exist\n")
