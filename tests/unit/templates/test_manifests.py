"""The lock files of the templates say what their manifests ask for, whatever the project is called.

Compiling shows it too, for those who have the compilers.
"""

import tomllib
from pathlib import PurePosixPath
from typing import Any

import pytest

from weft.base.names import Name
from weft.templates import EXAMPLES, render

every_example = pytest.mark.parametrize("example", EXAMPLES)


def rendered(language: str, example: str) -> dict[str, str]:
    files = render(language, example, Name.parse("ZooGate"))
    assert PurePosixPath("weft.toml") in files
    return {str(path): content.decode() for path, content in files.items()}


def packages(lock: str) -> dict[str, Any]:
    return {package["name"]: package for package in tomllib.loads(lock)["package"]}


@every_example
def test_cargos_lock_file_fits_its_manifest(example: str) -> None:
    files = rendered("rust", example)
    manifest = tomllib.loads(files["Cargo.toml"])
    locked = packages(files["Cargo.lock"])
    assert manifest["package"]["name"] == "zoo-gate"
    assert set(locked["zoo-gate"]["dependencies"]) == set(manifest["dependencies"])
    for name, wanted in manifest["dependencies"].items():
        assert f"{locked[name]['version']}.".startswith(f"{wanted}.")


@every_example
def test_every_crate_is_from_the_registry_and_has_a_checksum(example: str) -> None:
    locked = packages(rendered("rust", example)["Cargo.lock"])
    del locked["zoo-gate"]
    for package in locked.values():
        assert package["source"] == "registry+https://github.com/rust-lang/crates.io-index"
        assert len(package["checksum"]) == 64


@every_example
def test_the_rust_source_names_its_types_after_the_project(example: str) -> None:
    source = rendered("rust", example)["src/lib.rs"]
    assert "struct ZooGateRoot " in source
    assert "struct ZooGate " in source


@every_example
def test_gos_checksums_cover_its_requirements(example: str) -> None:
    files = rendered("go", example)
    lines = files["go.mod"].splitlines()
    assert lines[0] == "module zoo-gate"
    required = [line.removeprefix("require ") for line in lines if line.startswith("require ")]
    assert required
    for module in required:
        assert f"{module} h1:" in files["go.sum"]
        assert f"{module}/go.mod h1:" in files["go.sum"]


@every_example
def test_the_go_source_names_its_types_after_the_project(example: str) -> None:
    source = rendered("go", example)["main.go"]
    assert "type ZooGateRoot struct" in source
    assert "type ZooGate struct" in source
    assert "my" not in source.lower().split()
