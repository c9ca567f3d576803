"""``weft bench`` without Envoy: figures, budgets, exit codes."""

import json
from pathlib import Path

import pytest

from conftest import Weft
from modules.guests import PAGE, answering
from weft.image import RuntimeConfig, pack
from weft.oci import Reference
from weft.store import Store

MODULE = answering(on_request_headers=0, on_configure=1)


@pytest.fixture
def module(tmp_path: Path) -> Path:
    path = tmp_path / "quiet.wasm"
    path.write_bytes(MODULE)
    return path


def stored(home: Path, budgets: dict[str, str]) -> str:
    """An image with budgets in the store."""
    runtime = RuntimeConfig(root_ids=("r",), unknown={"budgets": budgets})
    Store(home / "store").put(Reference.parse("localhost/quiet:v1"), pack(MODULE, runtime))
    return "localhost/quiet:v1"


def test_a_person_gets_a_table(weft: Weft, module: Path) -> None:
    result = weft("bench", module, "--no-envoy")
    assert result.code == 0, result.err
    lines = [line.split() for line in result.out.splitlines()]
    assert lines[0] == ["on", "the", "test", "host", "a", "request", "us", "a", "call", "fuel", "a", "call"]
    assert lines[1][:2] == ["proxy_on_request_headers", "1.00"]
    assert lines[2][:-1] == ["fuel", "a", "request"]
    assert lines[4] == ["memory", "of", "a", "VM", "64.0", "KiB"]
    assert "on Envoy" not in result.out


def test_scripts_get_json(weft: Weft, module: Path) -> None:
    document = json.loads(weft("bench", module, "--no-envoy", "-o", "json").out)
    assert document["filter"] == "quiet"
    assert document["host"]["memory"] == {"per_vm": PAGE, "per_stream": 0, "leak_slope": 0}
    assert document["host"]["module_size"] == len(MODULE)
    assert document["host"]["fuel"] > 0
    assert (document["envoy"], document["budgets"]) == (None, [])


@pytest.mark.parametrize(
    ("budget", "code", "mark"),
    [({"memory_per_vm": "64 KiB"}, 0, "ok"), ({"memory_per_vm": "1 KiB"}, 1, "FAIL")],
)
def test_the_budgets_of_an_image_are_checked_on_request(
    weft: Weft, home: Path, budget: dict[str, str], code: int, mark: str
) -> None:
    words = ("bench", stored(home, budget), "--no-envoy")
    assert weft(*words).code == 0
    result = weft(*words, "--check")
    assert result.code == code
    last = result.out.splitlines()[-1]
    assert last == f"{mark:<4}  budget memory_per_vm: 64.0 KiB of {budget['memory_per_vm']}"


def test_a_budget_of_envoys_is_not_judged_without_it(weft: Weft, home: Path) -> None:
    result = weft("bench", stored(home, {"cpu_per_request": "1.5x"}), "--no-envoy", "--check")
    assert result.code == 0
    assert "budget" not in result.out


def test_a_budget_in_an_image_that_is_none_is_told(weft: Weft, home: Path) -> None:
    result = weft("bench", stored(home, {"memory_per_vm": "much"}), "--no-envoy")
    assert result.code == 2
    assert "budgets of localhost/quiet:v1.memory_per_vm: 'much' is no amount" in result.err


def test_an_envoy_that_is_not_there_is_told_before_anything_is_measured(weft: Weft, module: Path) -> None:
    result = weft("bench", module, "--envoy", "/no/envoy")
    assert (result.code, result.out) == (3, "")


def test_nothing_is_drawn_of_what_was_not_measured(weft: Weft, module: Path, tmp_path: Path) -> None:
    result = weft("bench", module, "--no-envoy", "--plot", tmp_path / "p.svg")
    assert result.code == 2
    assert result.err == ("error: --plot draws what was measured on Envoy, which --no-envoy leaves out\n")
