"""Filters that weft did not make: the test host runs them as the real Envoy does.

One file of scenarios for all SDKs; what either of the two shows must be the same to the byte.
"""

import json
import shutil
from pathlib import Path

import pytest

from conftest import Result, Weft
from modules.foreign import FOREIGN, foreign
from modules.old import OLD_FILTERS, old_filter
from weft.wasm import describe, read_module

SDKS = [
    pytest.param("rust-0.1", "0.1.0", marks=pytest.mark.real("rust", "envoy"), id="Rust SDK of 2020"),
    pytest.param("rust", "0.2.1", marks=pytest.mark.real("rust", "envoy"), id="Rust SDK"),
    pytest.param("go", "0.2.0", marks=pytest.mark.real("go", "envoy"), id="Go SDK"),
    pytest.param("solo-io", "0.2.0", marks=pytest.mark.real("assemblyscript", "envoy"), id="solo-io's SDK"),
    pytest.param("gcore", "0.2.1", marks=pytest.mark.real("assemblyscript", "envoy"), id="Gcore's SDK"),
]
_PROJECT = '[filter]\nname = "foreign"\nlanguage = "cpp"\n'


def project(folder: Path, *files: Path) -> Path:
    (folder / "tests").mkdir(parents=True)
    (folder / "weft.toml").write_text(_PROJECT)
    for file in files:
        shutil.copy(file, folder / "tests")
    return folder


def played_alike(result: Result, scenarios: int) -> None:
    """All went as they should, on both, and nothing was left out."""
    assert result.code == 0, result.out + result.err
    said = json.loads(result.out)
    assert len(said["scenarios"]) == 2 * scenarios
    assert not any(one.get("not_on_envoy") for one in said["scenarios"])


@pytest.mark.parametrize(("name", "abi"), SDKS)
def test_a_filter_of_another_sdk_runs_on_the_host_as_on_envoy(
    weft: Weft, tmp_path: Path, name: str, abi: str
) -> None:
    module = foreign(name)
    assert describe(read_module(module.read_bytes())).abi_version == abi
    files = [FOREIGN / "scenarios.yaml"]
    if abi != "0.1.0":  # whose SDK knows no metrics
        files.append(FOREIGN / "counting.yaml")
    result = weft("test", project(tmp_path / "p", *files), "--module", module, "--on", "both", "-o", "json")
    played_alike(result, 5 + len(files))


@pytest.mark.real("envoy")
@pytest.mark.parametrize("kind", OLD_FILTERS)
def test_a_filter_with_every_import_of_its_time_runs_on_the_host_as_on_envoy(
    weft: Weft, tmp_path: Path, kind: str
) -> None:
    module = tmp_path / "old.wasm"
    module.write_bytes(old_filter(*OLD_FILTERS[kind]))
    folder = project(tmp_path / "p", FOREIGN / "old.yaml")
    played_alike(weft("test", folder, "--module", module, "--on", "both", "-o", "json"), 1)


@pytest.mark.real("rust", "envoy")
@pytest.mark.parametrize(("suite", "tests"), [("suite.textpb", 4), ("suite.yaml", 2)])
def test_a_suite_of_googles_service_extensions_runs_unchanged(
    weft: Weft, tmp_path: Path, suite: str, tests: int
) -> None:
    files = [FOREIGN / suite, FOREIGN / "suite.config"]
    folder = project(tmp_path / "p", *files)
    for where in (folder, folder / "tests" / suite):
        result = weft("test", where, "--module", foreign("rust"), "--on", "both", "-o", "json")
        played_alike(result, tests)
