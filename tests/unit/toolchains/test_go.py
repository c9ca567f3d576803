"""What the Go language asks of go and of TinyGo.

Both are small scripts that behave like the real ones: they compile what holds no error and put the module
where they are told.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from modules.wasm_encoder import name_section, proxy_module
from weft.errors import BuildFailed, PartMissing, UsageError, WeftError
from weft.toolchains import Job, Language, executor
from weft.toolchains.languages.go import Go
from weft.wasm import read_module
from worlds.programs import SYSTEM_PATH, program

SDK = "github.com_proxy_wasm_proxy_wasm_go_sdk_proxywasm"
CALLBACKS = (
    "request_headers",
    "request_body",
    "response_headers",
    "response_trailers",
    "log",
    "done",
    "delete",
)

COMPILER = """
printf '%s\\n' "${0##*/}" "$@" > "$LOG"
echo "$GOOS/$GOARCH $GOFLAGS $GOTOOLCHAIN $PWD" > "$LOG.env"
if grep -q undefined main.go; then echo "./main.go:1:1: undefined: f" >&2; exit 1; fi
while [ "$1" != -o ]; do shift; done
cp module "$2"
"""


@dataclass
class Workshop:
    """A project, compilers and what a job has around them."""

    root: Path

    @property
    def project(self) -> Path:
        return self.root / "project"

    def build(self, **options: Any) -> bytes:
        """The module's bytes."""
        path = f"{self.root}/bin:{SYSTEM_PATH}"
        env = {"PATH": path, "GOFLAGS": "-mod=mod", "LOG": str(self.root / "log")}
        job = Job(
            source=self.project,
            output=self.root / "filter.wasm",
            scratch=self.root / "scratch",
            cache=self.root,
            tools={"go": self.root / "bin" / "go"},
            execute=executor("my-filter", env, None),
            options=options,
        )
        job.scratch.mkdir(exist_ok=True)
        asyncio.run(Go().build(job))
        return job.output.read_bytes()

    def told(self) -> str:
        """The compiler's words, and what it saw around it."""
        words = (self.root / "log").read_text().split()
        return " ".join(words).replace(str(self.root), "ROOT")

    def saw(self) -> str:
        """Platform, toolchain and working folder of the run."""
        return (self.root / "log.env").read_text().strip().replace(str(self.root), "ROOT")


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    program(tmp_path / "bin", "go", COMPILER)
    program(tmp_path / "bin", "tinygo", COMPILER)
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "main.go").write_text("package main")
    (tmp_path / "project" / "module").write_bytes(b"\0asm\1\0\0\0")
    return Workshop(tmp_path)


def kept(workshop: Workshop, *functions: str, **options: Any) -> list[str]:
    """The callbacks that are left of all, in a module that has these functions."""
    names = name_section(dict(enumerate(functions)))
    exports = {f"proxy_on_{callback}": "i32 -> void" for callback in CALLBACKS}
    (workshop.project / "module").write_bytes(proxy_module(exports=exports, tail=names))
    left = read_module(workshop.build(**options)).exported_functions()
    return [callback for callback in CALLBACKS if f"proxy_on_{callback}" in left]


def failure(workshop: Workshop, **options: Any) -> WeftError:
    with pytest.raises(WeftError) as caught:
        workshop.build(**options)
    assert not (workshop.root / "filter.wasm").exists()
    return caught.value


def test_it_is_a_language_that_needs_go() -> None:
    language: Language = Go()
    assert (language.name, language.tools) == ("go", ("go",))


def test_go_makes_a_reactor_without_traces_of_the_machine(workshop: Workshop) -> None:
    assert workshop.build() == b"\0asm\1\0\0\0"
    assert workshop.told() == (
        "go build -buildmode=c-shared -buildvcs=false -ldflags=-buildid= -o ROOT/scratch/filter.wasm ."
    )
    assert workshop.saw() == "wasip1/wasm -trimpath local ROOT/project"


class TestCallbacks:
    """What the module exports: with the official SDK, only what the filter answers."""

    def test_methods_in_the_source_of_the_package_are_kept(self, workshop: Workshop) -> None:
        (workshop.project / "main.go").write_text("func (f *F) OnHttpRequestHeaders(int, bool)")
        (workshop.project / "other.go").write_text("func (f *F) OnHttpStreamDone()")
        wrapper = "main.__F_.OnHttpRequestBody"  # Go makes one for each method of an embedded type
        assert kept(workshop, f"{SDK}.init", wrapper) == ["request_headers", "log", "delete"]

    def test_methods_of_another_package_are_kept(self, workshop: Workshop) -> None:
        functions = [
            f"{SDK}_types.__DefaultHttpContext_.OnHttpRequestBody",
            "example.com_b.F.OnPluginDone-fm",
        ]
        assert kept(workshop, *functions) == ["done", "delete"]

    def test_all_are_kept_with_another_sdk(self, workshop: Workshop) -> None:
        functions = ["github.com_tetratelabs_proxy_wasm_go_sdk_proxywasm.init"]
        assert kept(workshop, *functions) == list(CALLBACKS)

    def test_all_are_kept_when_asked(self, workshop: Workshop) -> None:
        assert kept(workshop, f"{SDK}.init", callbacks="all") == list(CALLBACKS)


def test_tinygo_is_told_the_same_in_its_own_words(workshop: Workshop) -> None:
    assert workshop.build(compiler="tinygo") == b"\0asm\1\0\0\0"
    assert workshop.told() == (
        "tinygo build -target=wasip1 -buildmode=c-shared -scheduler=none -opt=2 -no-debug "
        "-o ROOT/filter.wasm ."
    )
    assert workshop.saw() == "/ -trimpath local ROOT/project"


def test_a_tinygo_that_is_not_there_is_named(workshop: Workshop) -> None:
    (workshop.root / "bin" / "tinygo").unlink()
    error = failure(workshop, compiler="tinygo")
    assert isinstance(error, PartMissing)
    assert str(error) == "weft.toml asks for TinyGo, which is not on PATH"
    assert error.hint == 'install TinyGo, or write compiler = "go" under [build]'


@pytest.mark.parametrize("compiler", ["go", "tinygo"])
def test_an_error_is_shown_as_the_compiler_wrote_it(workshop: Workshop, compiler: str) -> None:
    (workshop.project / "main.go").write_text("undefined")
    error = failure(workshop, compiler=compiler)
    assert isinstance(error, BuildFailed)
    assert (str(error), error.detail) == ("the compiler refused my-filter", "./main.go:1:1: undefined: f\n")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(
            {"compilers": "go"},
            "weft.toml: [build]: Object contains unknown field `compilers`",
            id="unknown",
        ),
        pytest.param(
            {"compiler": "gccgo"},
            "weft.toml: [build]: Invalid enum value 'gccgo' - at `$.compiler`",
            id="compiler",
        ),
    ],
)
def test_options_are_checked_before_anything_runs(
    workshop: Workshop, options: dict[str, str], message: str
) -> None:
    error = failure(workshop, **options)
    assert (type(error), str(error)) == (UsageError, message)
    assert not (workshop.root / "log").exists()
