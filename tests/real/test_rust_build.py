"""What the Rust language promises, by the real cargo, on a crate that needs no registry."""

from pathlib import Path

import pytest

from modules.compiling import build, files_of, make_project
from weft.errors import BuildFailed
from weft.toolchains.languages.rust import _compiled_text
from weft.wasm import read_module

pytestmark = pytest.mark.real("rust")

MANIFEST = """
[package]
name = "{name}"
version = "0.1.0"
edition = "2024"

[lib]
crate-type = ["cdylib"]

[dependencies]
helper = {{ path = "helper" }}

[profile.release]
strip = "debuginfo"
"""
LOCK = """
version = 4

[[package]]
name = "helper"
version = "0.1.0"

[[package]]
name = "{name}"
version = "0.1.0"
dependencies = ["helper"]
"""
# Panics name the file they are in: the project's own, one of a dependency, one that the build made.
CRATE = {
    "Cargo.toml": MANIFEST.format(name="my-filter"),
    "Cargo.lock": LOCK.format(name="my-filter"),
    "build.rs": """
        fn main() {
            let folder = std::env::var("OUT_DIR").unwrap();
            let text = "pub fn made(x: u32) -> u32 { assert!(x < 8); x }";
            std::fs::write(format!("{folder}/made.rs"), text).unwrap();
        }
    """,
    "src/lib.rs": """
        include!(concat!(env!("OUT_DIR"), "/made.rs"));
        #[unsafe(no_mangle)]
        pub extern "C" fn deep(x: u32) -> u32 {
            assert!(x < 9);
            made(x) + helper::help(x)
        }
    """,
    "helper/Cargo.toml": '[package]\nname = "helper"\nversion = "0.1.0"\nedition = "2024"\n',
    "helper/src/lib.rs": "#[inline(never)] pub fn help(x: u32) -> u32 { assert!(x < 7); x }",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project", "rust", CRATE)


def test_two_folders_give_the_same_bytes_and_neither_is_in_them(tmp_path: Path, project: Path) -> None:
    elsewhere = make_project(tmp_path / "a" / "longer" / "way" / "to-it", "rust", CRATE)
    module = build(project, tmp_path / "cache")
    assert build(elsewhere, tmp_path / "cache of another") == module
    assert str(tmp_path).encode() not in module
    assert str(Path.home()).encode() not in module
    for name in (b"src/lib.rs", b"helper/src/lib.rs", b"/out/made.rs"):
        assert name in module


def test_functions_keep_their_names_and_nothing_else_for_debuggers(tmp_path: Path, project: Path) -> None:
    sections = {section.name for section in read_module(build(project, tmp_path)).sections}
    assert "name" in sections
    assert not [name for name in sections if name.startswith(".debug")]


def test_the_folder_is_only_read(tmp_path: Path, project: Path) -> None:
    before = files_of(project)
    build(project, tmp_path / "cache")
    assert files_of(project) == before


def test_an_edit_is_compiled(tmp_path: Path, project: Path) -> None:
    first = build(project, tmp_path / "cache")
    source = project / "src/lib.rs"
    source.write_text(source.read_text().replace("x < 9", "x < 99"))
    assert build(project, tmp_path / "cache") != first


def test_methods_are_looked_for_in_all_that_was_compiled(tmp_path: Path, project: Path) -> None:
    build(project, tmp_path / "a cache")
    [dependencies] = tmp_path.glob("a cache/builds/*/cache/*/release/my_filter.d")
    text = _compiled_text(dependencies)
    for function in ("fn deep", "fn help", "fn made"):
        assert function in text


def test_the_lock_file_need_not_be_sorted(tmp_path: Path) -> None:
    """``weft init`` puts the project's name where the template's was."""
    files = CRATE | {
        "Cargo.toml": MANIFEST.format(name="a-filter"),
        "Cargo.lock": LOCK.format(name="a-filter"),
    }
    project = make_project(tmp_path / "project", "rust", files)
    assert build(project, tmp_path / "cache").startswith(b"\0asm")


def test_the_compiler_speaks_for_itself(tmp_path: Path, project: Path) -> None:
    (project / "src/lib.rs").write_text("fn f() -> u32 {\n    nothing\n}\n")
    with pytest.raises(BuildFailed) as caught:
        build(project, tmp_path / "cache")
    assert str(caught.value) == "the compiler refused my-filter"
    assert caught.value.exit_code == 5
    assert "error[E0425]: cannot find value `nothing` in this scope\n --> src/lib.rs:2:5\n" in str(
        caught.value.detail
    )
    assert '"reason"' not in str(caught.value.detail)


@pytest.mark.parametrize("lock", ["", LOCK.format(name="another")], ids=["missing", "of another version"])
def test_a_lock_file_that_does_not_fit_is_left_alone(tmp_path: Path, project: Path, lock: str) -> None:
    (project / "Cargo.lock").unlink()
    if lock:
        (project / "Cargo.lock").write_text(lock)
    before = files_of(project)
    with pytest.raises(BuildFailed) as caught:
        build(project, tmp_path / "cache")
    assert caught.value.hint == "bring Cargo.lock up to date, in the project: cargo update --workspace"
    assert files_of(project) == before


def test_a_crate_that_is_no_cdylib_is_explained(tmp_path: Path, project: Path) -> None:
    manifest = project / "Cargo.toml"
    manifest.write_text(manifest.read_text().replace('["cdylib"]', '["rlib"]'))
    with pytest.raises(BuildFailed, match="cargo made no WebAssembly module") as caught:
        build(project, tmp_path / "cache")
    assert caught.value.hint == 'Cargo.toml needs: [lib] crate-type = ["cdylib"]'
