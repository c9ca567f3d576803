"""``weft check`` and the real Envoy: what it does with filters that refuse, trap or are only bytes."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from conftest import Weft
from modules.wasm_encoder import body, name_section, proxy_module
from parts import envoy_binary
from weft.envoy import Outcome, Verdict, validate

pytestmark = pytest.mark.real("envoy")

NO, TRAP = body(b"\x41\0"), body(b"\0")
NAMES = name_section({0: "marker", 1: "malloc", 2: "_ZN6filter9configureEv"})
BACKTRACE = """\
Function: {} failed: Uncaught RuntimeError: unreachable
Proxy-Wasm plugin in-VM backtrace:
  0:  0x{:x} - filter::configure()"""


def doing(callback: str, code: bytes, signature: str = "i32 i32 -> i32", **more: Any) -> bytes:
    """A filter whose one callback does ``code``."""
    return proxy_module(exports={callback: signature}, bodies={callback: code}, **more)


@pytest.mark.parametrize(
    ("data", "outcome", "words"),
    [
        pytest.param(
            doing("proxy_on_vm_start", NO),
            Outcome.START_REFUSED,
            ("Failed to start base Wasm",),
            id="start says no",
        ),
        pytest.param(
            doing("proxy_on_configure", NO),
            Outcome.CONFIG_REFUSED,
            ("Failed to configure base Wasm plugin",),
            id="configure says no",
        ),
        pytest.param(
            doing("proxy_on_configure", TRAP, tail=NAMES),
            Outcome.CONFIG_REFUSED,
            (BACKTRACE.format("proxy_on_configure", 0x78), "Failed to configure base Wasm plugin"),
            id="configure traps",
        ),
        pytest.param(
            doing("_initialize", TRAP, "void -> void", tail=NAMES),
            Outcome.REFUSED,
            (BACKTRACE.format("_initialize", 0x6B),),
            id="_initialize traps",
        ),
        pytest.param(
            doing("go", TRAP, "void -> void", start="go"),
            Outcome.REFUSED,
            ("wasm://wasm/", "Failed to create new Wasm instance"),
            id="start function traps",
        ),
        pytest.param(
            doing("proxy_on_tick", body(b"\xff"), "i32 -> void"),
            Outcome.REFUSED,
            ("Failed to load Wasm bytecode",),
            id="no such instruction",
        ),
        pytest.param(b"", Outcome.REFUSED, ("Plugin weft-check failed to load",), id="empty"),
        pytest.param(b"hello world", Outcome.REFUSED, ("Failed to parse corrupted Wasm module",), id="text"),
    ],
)
async def test_envoy_says_how_far_it_came(data: bytes, outcome: Outcome, words: tuple[str, ...]) -> None:
    envoy = envoy_binary()
    assert envoy is not None
    verdict = await validate(envoy, data, env=os.environ)
    shown = tuple(word[:12] if word.startswith("wasm://wasm/") else word for word in verdict.words)
    assert Verdict(verdict.outcome, verdict.envoy, shown) == Verdict(outcome, "1.40.0", words)


def check(weft: Weft, folder: Path, data: bytes, *options: str) -> tuple[int, str]:
    file = folder / "filter.wasm"
    file.write_bytes(data)
    result = weft("check", file, *options)
    return result.code, result.out


def last_lines(out: str) -> list[str]:
    return out[out.index(" envoy ") - 5 :].splitlines()


def test_a_good_filter_is_loaded(weft: Weft, tmp_path: Path) -> None:
    code, out = check(weft, tmp_path, proxy_module())
    assert (code, last_lines(out)) == (0, ["ok    envoy      Envoy 1.40.0 loads it"])


def test_a_filter_that_wants_a_config_is_loaded_too(weft: Weft, tmp_path: Path) -> None:
    code, out = check(weft, tmp_path, doing("proxy_on_configure", NO))
    assert code == 0
    assert last_lines(out) == [
        "warn  envoy      Envoy 1.40.0 loads it; the filter does not accept an empty configuration",
        "                 Failed to configure base Wasm plugin",
    ]


def test_what_only_an_engine_can_see_is_refused(weft: Weft, tmp_path: Path) -> None:
    code, out = check(weft, tmp_path, doing("proxy_on_tick", body(b"\xff"), "i32 -> void"))
    assert code == 6
    assert "FAIL" not in out[: out.index(" envoy ") - 5]
    assert last_lines(out) == [
        "FAIL  envoy      Envoy 1.40.0 refuses it",
        "                 Failed to load Wasm bytecode",
    ]


def test_programs_see_what_envoy_said(weft: Weft, tmp_path: Path) -> None:
    code, out = check(weft, tmp_path, proxy_module(abi=None), "-o", "json")
    assert code == 6
    assert json.loads(out)["envoy"] == {
        "version": "1.40.0",
        "outcome": "refused",
        "words": ["Missing or unknown Proxy-Wasm ABI version"],
    }


IF_TOLD = body(b"\x20\x01")  # the second argument: how long the config is


@pytest.mark.parametrize(
    ("config", "outcome"), [("{}", Outcome.LOADED), ("", Outcome.CONFIG_REFUSED)], ids=["told", "not told"]
)
async def test_the_filter_is_told_its_config(config: str, outcome: Outcome) -> None:
    envoy = envoy_binary()
    assert envoy is not None
    data = doing("proxy_on_configure", IF_TOLD)
    verdict = await validate(envoy, data, env=os.environ, root_id="r", config=config)
    assert verdict.outcome is outcome


@pytest.mark.real("cpp")
def test_a_new_project_and_its_image_pass_as_their_pages_say(weft: Weft, tmp_path: Path) -> None:
    assert weft("init", tmp_path / "my_filter", "--language", "cpp").code == 0
    result = weft("check", tmp_path / "my_filter")
    assert (result.code, last_lines(result.out)) == (0, ["ok    envoy      Envoy 1.40.0 loads it"])
    assert weft("build", tmp_path / "my_filter", "-t", "localhost:5000/you/my-filter:v1").code == 0
    result = weft("check", "localhost:5000/you/my-filter:v1")
    assert (result.code, last_lines(result.out)) == (0, ["ok    envoy      Envoy 1.40.0 loads it"])
