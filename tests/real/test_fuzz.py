"""Generated scenarios on filters that were really built, and on a real Envoy."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from conftest import Weft
from modules.guests import HEAP, TEXT, calling
from modules.planted import trapping_on_header
from modules.samples import sample
from weft.templates import LANGUAGES

ADDRESS = calling(
    ("proxy_get_property", (TEXT, 14, 64, 68)),
    ("proxy_send_local_response", (200, 0, 0, HEAP, 9, 0, 0, 0)),
    during="proxy_on_request_headers", returns=1, text=b"source\0address",
)  # fmt: skip
"""Answers with the client's address, which the test host does not have."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = tmp_path / "planted"
    (project / "tests").mkdir(parents=True)
    (project / "weft.toml").write_text('[filter]\nname = "planted"\nlanguage = "cpp"\n')
    own = "{name: knows x, steps: [{request: {headers: {x: abc}}}, {response: {}}]}"
    (project / "tests" / "own.yaml").write_text(f"scenarios: [{own}]")
    return project


def hunted(weft: Weft, folder: Path, module: bytes, *words: str) -> list[dict[str, object]]:
    """What is found."""
    (folder / "m.wasm").write_bytes(module)
    result = weft("test", folder, "--module", folder / "m.wasm", *words, "--seed", "7", "-o", "json")
    assert result.code == 1, result.err
    findings: list[dict[str, object]] = json.loads(result.out)["findings"]
    return findings


def steps_of(folder: Path, finding: dict[str, object]) -> object:
    [scenario] = yaml.safe_load(Path(str(finding["file"])).read_text())["scenarios"]
    return scenario["steps"]


@pytest.mark.parametrize("language", [pytest.param(name, marks=pytest.mark.real(name)) for name in LANGUAGES])
def test_nothing_is_found_in_an_example(weft: Weft, tmp_path: Path, language: str) -> None:
    made, module = sample(language, "external-auth")
    folder = shutil.copytree(made, tmp_path / "sample")
    result = weft("test", folder, "--module", module, "--fuzz", "60", "--seed", "3")
    assert result.code == 0, result.out + result.err


@pytest.mark.real("envoy", "cpp")
def test_an_example_does_the_same_on_envoy_and_on_the_host(weft: Weft, tmp_path: Path) -> None:
    made, module = sample("cpp", "path-rewrite")
    folder = shutil.copytree(made, tmp_path / "sample")
    result = weft("test", folder, "--module", module, "--fuzz", "40", "--seed", "3", "--on", "both")
    assert result.code == 0, result.out + result.err
    assert "40 scenarios, seed 3: no findings in " in result.out


@pytest.mark.real("envoy")
@pytest.mark.parametrize("on", ["both", "envoy"])
def test_a_filter_that_fails_alike_on_both_is_found_once(weft: Weft, folder: Path, on: str) -> None:
    [finding] = hunted(weft, folder, trapping_on_header(), "--fuzz", "30", "--on", on)
    assert (finding["kind"], finding["on"]) == ("trap", "host")
    assert steps_of(folder, finding) == [{"request": {"headers": {"x": "aaaaaaaa"}}}]


@pytest.mark.real("envoy")
def test_a_difference_is_made_small_on_envoy_and_shown_again(weft: Weft, folder: Path) -> None:
    [finding] = hunted(weft, folder, ADDRESS, "--fuzz", "5", "--on", "both", "-k", "knows")
    assert finding == finding | {"kind": "differs", "title": "client.body is not as on the host"}
    again = weft("test", finding["file"], "--module", folder / "m.wasm", "--on", "both")
    assert again.code == 1
    assert "        client.body is not as on the host" in again.out.splitlines()
