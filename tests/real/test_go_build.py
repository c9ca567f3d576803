"""What the Go language promises, by the real go, on a module that needs no other."""

import subprocess
from pathlib import Path

import pytest

from modules.compiling import build, files_of, make_project
from weft.errors import BuildFailed
from weft.wasm import read_module

pytestmark = pytest.mark.real("go")

MODULE = {
    "go.mod": "module my-filter\n\ngo 1.24\n",
    "main.go": """package main

func main() {}

//go:wasmexport deep
func deep(x int32) int32 {
    if x > 9 {
        panic("deep")
    }
    return x
}
""",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project", "go", MODULE)


def test_two_folders_give_the_same_bytes_and_neither_is_in_them(tmp_path: Path, project: Path) -> None:
    elsewhere = make_project(tmp_path / "a" / "longer" / "way", "go", MODULE)
    for words in (
        ["init", "-q"],
        ["add", "main.go"],
        ["-c", "user.name=u", "-c", "user.email=e", "commit", "-qmm"],
    ):
        subprocess.run(["git", *words], cwd=elsewhere, check=True)  # noqa: S607 - Go would note its state
    module = build(project, tmp_path / "cache")
    assert build(elsewhere, tmp_path / "cache of another") == module
    assert str(tmp_path).encode() not in module
    assert str(Path.home()).encode() not in module


def test_a_users_flags_do_not_change_the_module(tmp_path: Path, project: Path) -> None:
    flags = "-trimpath=false -buildvcs=true -ldflags=-s"
    assert build(project, tmp_path / "one", GOFLAGS=flags) == build(project, tmp_path / "other")


def test_functions_keep_their_names(tmp_path: Path, project: Path) -> None:
    module = build(project, tmp_path / "cache")
    names = next(section for section in read_module(module).sections if section.name == "name")
    assert b"main.deep" in module[names.offset : names.offset + names.size]
    assert "go:buildid" not in {section.name for section in read_module(module).sections}


def test_the_folder_is_only_read(tmp_path: Path, project: Path) -> None:
    before = files_of(project)
    build(project, tmp_path / "cache")
    assert files_of(project) == before


def test_the_compiler_speaks_for_itself(tmp_path: Path, project: Path) -> None:
    (project / "main.go").write_text("package main\n\nfunc main() { nothing() }\n")
    with pytest.raises(BuildFailed) as caught:
        build(project, tmp_path / "cache")
    assert str(caught.value) == "the compiler refused my-filter"
    assert caught.value.exit_code == 5
    assert caught.value.detail == "# my-filter\n./main.go:3:15: undefined: nothing\n"


def test_a_module_that_is_not_required_is_not_added(tmp_path: Path, project: Path) -> None:
    (project / "main.go").write_text('package main\n\nimport _ "example.com/else"\n\nfunc main() {}\n')
    before = files_of(project)
    with pytest.raises(BuildFailed) as caught:
        build(project, tmp_path / "cache", GOFLAGS="-mod=mod")
    assert "no required module provides package example.com/else" in str(caught.value.detail)
    assert files_of(project) == before


def test_no_other_go_is_fetched(tmp_path: Path, project: Path) -> None:
    (project / "go.mod").write_text("module my-filter\n\ngo 1.99\n")
    with pytest.raises(BuildFailed) as caught:
        build(project, tmp_path / "cache")
    assert "go.mod requires go >= 1.99" in str(caught.value.detail)
    assert "GOTOOLCHAIN=local" in str(caught.value.detail)
