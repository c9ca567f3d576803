"""What the Rust language asks of cargo and rustc, and what it makes of their answers.

Both are small scripts that behave like the real ones: cargo keeps to the lock file, compiles what holds no
error, puts modules where it is told and reports them.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from modules.wasm_encoder import proxy_module
from weft.errors import BuildFailed, PartMissing, UsageError, WeftError
from weft.toolchains import Job, Language, executor
from weft.toolchains.languages.rust import Rust
from weft.wasm import read_module
from worlds.programs import SYSTEM_PATH, program

CARGO = """
printf '%s\\n' "$@" > "$LOG"
pwd > "$LOG.cwd"
while [ "$1" != --target ]; do shift; done; target=$2
while [ "$1" != --target-dir ]; do shift; done; made=$2/$target/release
if [ ! -f Cargo.lock ]; then
    echo "error: cannot create the lock file because --locked was passed to prevent this" >&2; exit 101
fi
echo "   Compiling my-filter v0.1.0" >&2
if grep -q compile_error src/lib.rs; then
    echo '{"reason":"build-finished","success":false}'
    echo "error: mismatched types" >&2; echo " --> src/lib.rs:1:1" >&2; exit 101
fi
mkdir -p "$made"
report() {
    echo '{"reason":"compiler-artifact","target":{"crate_types":["'$1'"]},"filenames":["'"$made/$2"'"]}'
}
report lib libserde.rlib
for name in $(cat modules); do
    cp module "$made/$name"
    echo "$made/$name: $PWD/src/lib.rs $PWD/a\\ helper.rs" > "$made/${name%.wasm}.d"
    report cdylib "$name"
done
echo '{"reason":"build-finished","success":true}'
"""


@dataclass
class Workshop:
    """A project, a Rust installation and what a job has around them."""

    root: Path
    env: dict[str, str]

    @property
    def project(self) -> Path:
        return self.root / "project"

    def install(self, *targets: str) -> None:
        """Put standard libraries into the sysroot."""
        for target in targets:
            library = self.root / "sysroot/lib/rustlib" / target / "lib"
            library.mkdir(parents=True)
            (library / "libstd-0123.rlib").touch()

    def build(
        self, options: Mapping[str, Any] | None = None, said: Callable[[str], None] | None = None
    ) -> bytes:
        """The module's bytes."""
        job = Job(
            source=self.project,
            output=self.root / "filter.wasm",
            scratch=self.root / "scratch",
            cache=self.root / "cache",
            tools={"rust": self.root / "bin" / "cargo"},
            execute=executor("my-filter", self.env, said),
            options=options or {},
        )
        job.scratch.mkdir()
        asyncio.run(Rust().build(job))
        return job.output.read_bytes()

    def words(self) -> list[str]:
        """What cargo was told."""
        return (self.root / "log").read_text().splitlines()

    def after(self, flag: str) -> str:
        """The word that follows ``flag``."""
        return self.words()[self.words().index(flag) + 1]


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    program(tmp_path / "bin", "cargo", CARGO)
    program(tmp_path / "bin", "rustc", f'[ "$*" = "--print sysroot" ] && echo "{tmp_path}/sysroot"')
    files = {
        "src/lib.rs": "",
        "a helper.rs": "",
        "Cargo.lock": "",
        "modules": "my_filter.wasm",
        "module": "\0asm",
    }
    for name, text in files.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    env = {"PATH": SYSTEM_PATH, "HOME": "/home/u", "LOG": str(tmp_path / "log")}
    return Workshop(tmp_path, env)


def failure(workshop: Workshop, options: Mapping[str, Any] | None = None) -> WeftError:
    with pytest.raises(WeftError) as caught:
        workshop.build(options)
    assert not (workshop.root / "filter.wasm").exists()
    return caught.value


def test_it_is_a_language_that_needs_cargo() -> None:
    language: Language = Rust()
    assert (language.name, language.tools) == ("rust", ("rust",))


def test_the_module_cargo_reports_is_the_output(workshop: Workshop) -> None:
    workshop.install("wasm32-wasip1")
    assert workshop.build() == b"\0asm"


def test_cargo_is_bound_to_the_lock_file_and_builds_in_the_cache(workshop: Workshop) -> None:
    workshop.install("wasm32-wasip1")
    workshop.build()
    assert workshop.words()[:5] == ["build", "--release", "--locked", "--target", "wasm32-wasip1"]
    assert workshop.after("--target-dir") == str(workshop.root / "cache")
    assert (workshop.root / "log.cwd").read_text().strip() == str(workshop.project)


def test_no_folder_of_this_machine_reaches_the_module(workshop: Workshop) -> None:
    workshop.install("wasm32-wasip1")
    workshop.build()
    assert workshop.after("--config") == (
        'target.wasm32-wasip1.rustflags=["--remap-path-prefix=/home/u/.cargo=cargo", '
        f'"--remap-path-prefix={workshop.root}/cache=target", '
        f'"--remap-path-prefix={workshop.project}=."]'
    )


def test_cargos_home_may_be_elsewhere(workshop: Workshop) -> None:
    workshop.install("wasm32-wasip1")
    workshop.env["CARGO_HOME"] = "/opt/crates"
    workshop.build()
    assert "--remap-path-prefix=/opt/crates=cargo" in workshop.after("--config")


@pytest.mark.parametrize(
    ("installed", "option", "chosen"),
    [
        pytest.param(["wasm32-wasip1"], {}, "wasm32-wasip1", id="WASI alone"),
        pytest.param(["wasm32-unknown-unknown"], {}, "wasm32-unknown-unknown", id="the other alone"),
        pytest.param(["wasm32-unknown-unknown", "wasm32-wasip1"], {}, "wasm32-wasip1", id="both"),
        pytest.param(
            ["wasm32-unknown-unknown", "wasm32-wasip1"],
            {"target": "wasm32-unknown-unknown"},
            "wasm32-unknown-unknown",
            id="both, and asked",
        ),
    ],
)
def test_the_target_is_one_that_is_installed(
    workshop: Workshop, installed: list[str], option: dict[str, str], chosen: str
) -> None:
    workshop.install(*installed)
    workshop.build(option)
    assert workshop.after("--target") == chosen


def test_a_rust_without_a_target_is_no_part(workshop: Workshop) -> None:
    workshop.install("x86_64-unknown-linux-gnu")
    error = failure(workshop)
    assert isinstance(error, PartMissing)
    assert (
        str(error) == f"the Rust of this project, in {workshop.root}/sysroot, cannot compile to WebAssembly"
    )
    assert error.hint == "rustup target add wasm32-wasip1"


def test_the_user_sees_what_cargo_says_and_not_what_it_reports(workshop: Workshop) -> None:
    workshop.install("wasm32-wasip1")
    said: list[str] = []
    workshop.build(said=said.append)
    assert said == ["   Compiling my-filter v0.1.0"]


def test_an_error_is_shown_as_the_compiler_wrote_it(workshop: Workshop) -> None:
    workshop.install("wasm32-wasip1")
    (workshop.project / "src/lib.rs").write_text("compile_error!()")
    error = failure(workshop)
    assert isinstance(error, BuildFailed)
    assert str(error) == "the compiler refused my-filter"
    expected = "   Compiling my-filter v0.1.0\nerror: mismatched types\n --> src/lib.rs:1:1\n"
    assert error.detail == expected
    assert error.hint is None


def test_a_lock_file_that_does_not_fit_is_explained(workshop: Workshop) -> None:
    workshop.install("wasm32-wasip1")
    (workshop.project / "Cargo.lock").unlink()
    assert failure(workshop).hint == "bring Cargo.lock up to date, in the project: cargo update --workspace"


@pytest.mark.parametrize(
    ("modules", "message", "hint"),
    [
        pytest.param(
            "",
            "cargo made no WebAssembly module",
            'Cargo.toml needs: [lib] crate-type = ["cdylib"]',
            id="none",
        ),
        pytest.param(
            "one.wasm two.wasm",
            "cargo made several modules: one.wasm, two.wasm",
            "put weft.toml beside the Cargo.toml of the one that is the filter",
            id="two",
        ),
    ],
)
def test_a_crate_makes_one_module(workshop: Workshop, modules: str, message: str, hint: str) -> None:
    workshop.install("wasm32-wasip1")
    (workshop.project / "modules").write_text(modules)
    error = failure(workshop)
    assert (type(error), str(error), error.hint) == (BuildFailed, message, hint)


LOCK = """
[[package]]
name = "my-filter"
version = "0.1.0"
dependencies = ["framework", "proxy-wasm"]

[[package]]
name = "proxy-wasm"
version = "0.2.5"
{sdk}

[[package]]
name = "framework"
version = "0.1.0"
{framework}
"""
REGISTRY = 'source = "registry+https://github.com/rust-lang/crates.io-index"'
CALLBACKS = (
    "request_headers",
    "request_body",
    "response_headers",
    "response_trailers",
    "log",
    "done",
    "delete",
)
ALL = list(CALLBACKS)


class TestCallbacks:
    """What the module exports: with the official SDK, only what the crate answers."""

    @pytest.fixture
    def workshop(self, workshop: Workshop) -> Workshop:
        workshop.install("wasm32-wasip1")
        exports = {f"proxy_on_{callback}": "i32 -> void" for callback in CALLBACKS}
        (workshop.project / "module").write_bytes(proxy_module(exports=exports))
        return workshop

    def kept(self, workshop: Workshop, lock: str, **options: str) -> list[str]:
        (workshop.project / "Cargo.lock").write_text(lock)
        left = read_module(workshop.build(options)).exported_functions()
        return [callback for callback in CALLBACKS if f"proxy_on_{callback}" in left]

    def test_methods_in_any_compiled_file_are_kept(self, workshop: Workshop) -> None:
        (workshop.project / "src/lib.rs").write_text("fn on_http_response_headers(&mut self) {}")
        (workshop.project / "a helper.rs").write_text("fn on_log(&mut self) {}")
        (workshop.project / "src/not_compiled.rs").write_text("fn on_done(&mut self) {}")
        lock = LOCK.format(sdk=REGISTRY, framework=REGISTRY)
        assert self.kept(workshop, lock) == ["response_headers", "log", "delete"]

    def test_a_crate_of_the_workspace_may_use_the_sdk(self, workshop: Workshop) -> None:
        lock = LOCK.format(sdk=REGISTRY, framework='dependencies = ["proxy-wasm"]')
        assert self.kept(workshop, lock) == ["delete"]

    @pytest.mark.parametrize(
        "lock",
        [
            pytest.param(
                LOCK.format(sdk=REGISTRY, framework=f'{REGISTRY}\ndependencies = ["proxy-wasm 0.2.5"]'),
                id="a crate from elsewhere builds on the SDK",
            ),
            pytest.param(LOCK.format(sdk="", framework=""), id="an SDK of the project's own"),
            pytest.param("version = 4", id="no SDK"),
        ],
    )
    def test_all_are_kept_where_others_may_answer(self, workshop: Workshop, lock: str) -> None:
        assert self.kept(workshop, lock) == ALL

    def test_all_are_kept_when_asked(self, workshop: Workshop) -> None:
        lock = LOCK.format(sdk=REGISTRY, framework=REGISTRY)
        assert self.kept(workshop, lock, callbacks="all") == ALL


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(
            {"targets": "x"},
            "weft.toml: [build]: Object contains unknown field `targets`",
            id="unknown",
        ),
        pytest.param(
            {"target": "wasm64-wasip1"},
            "weft.toml: [build]: Invalid enum value 'wasm64-wasip1' - at `$.target`",
            id="target",
        ),
    ],
)
def test_options_are_checked_before_anything_runs(
    workshop: Workshop, options: dict[str, str], message: str
) -> None:
    error = failure(workshop, options)
    assert (type(error), str(error)) == (UsageError, message)
    assert not (workshop.root / "log").exists()
