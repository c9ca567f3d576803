"""What the C++ language asks of zig: which files, which flags, which order; and what it does with the result.

``Zig`` is the compiler as a world: it writes what a step's ``-o`` names and refuses what says ``#error``.
"""

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from modules.wasm_encoder import custom, name_section, proxy_module
from weft.base.processes import Finished
from weft.errors import BuildFailed, UsageError
from weft.toolchains.language import Job, Language
from weft.toolchains.languages.cpp import Cpp
from weft.wasm import read_module

SDK_FIRST = '#include "proxy_wasm_intrinsics.h"\n'


@dataclass
class Zig:
    """A compiler that only writes files; ``steps`` are the words of each run, without the program."""

    project: Path
    steps: list[list[str]] = field(default_factory=list)
    linked: bytes = b""

    async def __call__(
        self,
        command: Sequence[str | Path],
        *,
        cwd: Path,
        env: Mapping[str, str] | None = None,  # noqa: ARG002 - part of the contract
    ) -> Finished:
        assert cwd == self.project
        self.steps.append([str(word) for word in command[1:]])
        self.run(self.steps[-1])
        return Finished(0, "")

    def run(self, words: list[str]) -> None:
        if words[0] == "ar":
            Path(words[2]).write_bytes(b"library")
            return
        output = Path(words[words.index("-o") + 1])
        reading = next((word for word in ("-c", "c++-header") if word in words), None)
        if reading is None:
            output.write_bytes(self.linked)
            return
        source = self.project / words[words.index(reading) + 1]
        if "#error" in source.read_text():
            raise BuildFailed("the compiler refused it", detail="#error")
        output.write_bytes(source.read_bytes())

    def compiled(self) -> dict[str, list[str]]:
        """Source of the project → the words of its step."""
        steps = {words[words.index("-c") + 1]: words for words in self.steps if "-c" in words}
        return {name: words for name, words in steps.items() if not Path(name).is_absolute()}

    def made(self, what: str) -> list[list[str]]:
        """The steps that made a ``header`` or a ``library`` of the SDK."""
        sign = {"header": "c++-header", "library": "ar"}[what]
        return [words for words in self.steps if sign in words]

    def link(self) -> list[str]:
        """The words of the last step."""
        return self.steps[-1]


@dataclass
class Workshop:
    """A project folder and what a job has around it."""

    root: Path
    zig: Zig

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = self.zig.project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def build(self, *, shared: str | None = "shared", **options: Any) -> bytes:
        """The module's bytes."""
        scratch = self.root / f"scratch-{len(self.zig.steps)}"
        scratch.mkdir()
        asyncio.run(
            Cpp().build(
                Job(
                    source=self.zig.project,
                    output=self.root / "out" / "filter.wasm",
                    scratch=scratch,
                    cache=self.root / "cache",
                    tools={"zig": self.root / "tools" / "zig"},
                    execute=self.zig,
                    options=options,
                    shared=self.root / shared if shared else None,
                )
            )
        )
        return (self.root / "out" / "filter.wasm").read_bytes()


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    for name in ("project", "out", "cache", "shared", "tools"):
        (tmp_path / name).mkdir()
    (tmp_path / "tools" / "zig").touch()
    tail = custom(".debug_info", b"dwarf") + name_section({0: "main"}) + custom("producers", b"\0")
    return Workshop(tmp_path, Zig(tmp_path / "project", linked=proxy_module(tail=tail)))


def custom_sections(module: bytes) -> list[str]:
    return [section.name for section in read_module(module).sections if section.custom]


def test_it_is_a_language_that_needs_zig() -> None:
    language: Language = Cpp()
    assert (language.name, language.tools) == ("cpp", ("zig",))


def test_sources_beside_weft_toml_and_under_src_are_compiled_in_order(workshop: Workshop) -> None:
    workshop.write(
        dict.fromkeys(["filter.cc", "b.cpp", "a.cxx", "src/in/x.cc", "src/y.c", "test/z.cc", "filter.h"], "")
    )
    workshop.build()
    assert list(workshop.zig.compiled()) == ["a.cxx", "b.cpp", "filter.cc", "src/in/x.cc", "src/y.c"]
    objects = [words[words.index("-o") + 1] for words in workshop.zig.compiled().values()]
    assert [word for word in workshop.zig.link() if word.endswith(".o")] == objects
    assert len(set(objects)) == len(objects)


def test_each_kind_of_source_gets_its_own_compiler(workshop: Workshop) -> None:
    workshop.write({"filter.cc": "", "old.c": ""})
    workshop.build()
    cpp, c = (workshop.zig.compiled()[name] for name in ("filter.cc", "old.c"))
    assert cpp[0] == "c++"
    assert {"-std=c++20", "-fno-exceptions", "-fno-rtti"} <= set(cpp)
    assert c[0] == "cc"
    assert not {"-std=c++20", "-fno-rtti"} & set(c)
    assert workshop.zig.link()[0] == "c++"


def test_every_step_makes_a_wasi_reactor(workshop: Workshop) -> None:
    workshop.write({"filter.cc": SDK_FIRST, "old.c": ""})
    workshop.build()
    steps = [words for words in workshop.zig.steps if words[0] != "ar"]
    assert len(steps) == 7, "two sources, the header, three of the library, the link"
    for words in steps:
        assert words[1:4] == ["-target", "wasm32-wasi", "-mexec-model=reactor"]


def test_no_path_of_this_machine_reaches_the_module(workshop: Workshop) -> None:
    workshop.write({"filter.cc": ""})
    workshop.build()
    words = workshop.zig.compiled()["filter.cc"]
    short = dict(word.removeprefix("-ffile-prefix-map=").split("=") for word in words if "prefix-map" in word)
    sdk = words[words.index("-isystem") + 1]
    assert short == {str(workshop.zig.project): ".", str(workshop.root / "tools"): "zig", sdk: "weft"}
    # The linker writes this name into the module.
    assert Path(workshop.zig.link()[-1]).name == "filter.wasm"


@pytest.mark.parametrize(
    ("text", "precompiled"),
    [
        pytest.param(SDK_FIRST, True, id="the SDK alone"),
        pytest.param("// a\n/* b\n c */\n#include <string>\n\n" + SDK_FIRST, True, id="after others"),
        pytest.param("# include <proxy_wasm_intrinsics.h>", True, id="in angle brackets"),
        pytest.param("#define TWEAK\n" + SDK_FIRST, False, id="after a macro it may depend on"),
        pytest.param("int x;\n" + SDK_FIRST, False, id="after code"),
        pytest.param("// " + SDK_FIRST, False, id="in a comment"),
        pytest.param("/*\n" + SDK_FIRST + "*/", False, id="in a long comment"),
        pytest.param("/**/ // x\n" * 5000 + "int x;", False, id="after more than could be tried in turn"),
        pytest.param("#include <string>\n", False, id="not at all"),
    ],
)
def test_the_sdk_is_read_precompiled_where_that_changes_nothing(
    workshop: Workshop, text: str, precompiled: bool
) -> None:
    workshop.write({"filter.cc": text})
    workshop.build()
    words = workshop.zig.compiled()["filter.cc"]
    assert ("-include-pch" in words) == precompiled
    assert any("c++-header" in step for step in workshop.zig.steps) == precompiled


def test_the_sdk_is_made_ready_once_for_all_projects(workshop: Workshop, tmp_path: Path) -> None:
    workshop.write({"filter.cc": SDK_FIRST, "other.cc": SDK_FIRST})
    workshop.build()
    workshop.zig.project = tmp_path / "another"
    workshop.write({"filter.cc": SDK_FIRST})
    workshop.build()
    assert len(workshop.zig.made("header")) == len(workshop.zig.made("library")) == 1
    assert list((tmp_path / "cache").iterdir()) == []
    assert {path.suffix for path in (tmp_path / "shared").iterdir()} == {".pch", ".a"}


def test_without_a_shared_folder_it_is_kept_with_the_project(workshop: Workshop, tmp_path: Path) -> None:
    workshop.write({"filter.cc": SDK_FIRST})
    workshop.build(shared=None)
    assert {path.suffix for path in (tmp_path / "cache").iterdir()} == {".pch", ".a"}


def test_the_sdk_is_made_ready_again_for_other_flags_and_another_zig(workshop: Workshop) -> None:
    workshop.write({"filter.cc": SDK_FIRST})
    workshop.build()
    workshop.build(defines=["A"])
    workshop.build(abi="0.2.0")
    os.utime(workshop.root / "tools" / "zig", (1, 1))
    workshop.build(defines=["A"])
    headers, libraries = workshop.zig.made("header"), workshop.zig.made("library")
    assert ["-DA" in step for step in headers] == [False, True, False, True]
    assert len(libraries) == 3, "the library is of weft's own flags, the ABI and zig"


def test_what_of_the_sdk_was_not_used_for_longest_is_dropped(workshop: Workshop, tmp_path: Path) -> None:
    workshop.write({"filter.cc": SDK_FIRST})
    for number in range(8):
        workshop.build(defines=[f"A{number}"])
    for number, header in enumerate(sorted((tmp_path / "shared").glob("*.pch"), key=os.path.getmtime)):
        os.utime(header, (number, number))
    workshop.build(defines=["A0"])
    workshop.build(defines=["NEW"])
    made = len(workshop.zig.made("header"))
    workshop.build(defines=["A0"])
    assert len(workshop.zig.made("header")) == made, "used lately"
    workshop.build(defines=["A1"])
    assert len(workshop.zig.made("header")) == made + 1, "the oldest"


def test_the_library_comes_after_what_needs_it(workshop: Workshop) -> None:
    workshop.write({"filter.cc": ""})
    workshop.build()
    inputs = [Path(word).suffix for word in workshop.zig.link() if word.startswith(str(workshop.root))]
    assert inputs == [".o", ".a", ".wasm"]


def test_the_users_flags_come_last_and_do_not_reach_the_linker(workshop: Workshop) -> None:
    workshop.write({"filter.cc": "", "old.c": ""})
    workshop.build(flags=["-O3", "-std=c++23"], defines=["A", "B=1"])
    cpp, c = (workshop.zig.compiled()[name] for name in ("filter.cc", "old.c"))
    assert cpp.index("-O3") > cpp.index("-O2")
    assert cpp.index("-std=c++23") > cpp.index("-std=c++20")
    assert {"-DA", "-DB=1"} <= set(cpp)
    assert {"-DA", "-DB=1", "-O3"} <= set(c)
    assert "-std=c++23" not in c
    assert "-O3" not in workshop.zig.link()


def test_sources_of_weft_toml_replace_the_usual_ones(workshop: Workshop) -> None:
    workshop.write(dict.fromkeys(["filter.cc", "lib/b.cc", "lib/a.cc"], ""))
    workshop.build(sources=["lib/*.cc", "lib/a.cc"])
    assert list(workshop.zig.compiled()) == ["lib/a.cc", "lib/b.cc"]


@pytest.mark.parametrize(
    ("abi", "macros"),
    [("0.2.1", []), ("0.2.0", ["-DPROXY_WASM_ABI_0_2_0"]), ("0.1.0", ["-DPROXY_WASM_ABI_0_1_0"])],
)
def test_an_older_abi_is_a_macro(workshop: Workshop, abi: str, macros: list[str]) -> None:
    workshop.write({"filter.cc": ""})
    workshop.build(abi=abi)
    assert [word for word in workshop.zig.compiled()["filter.cc"] if word.startswith("-D")] == macros


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        pytest.param({}, ["name", "producers"], id="names by default"),
        pytest.param({"symbols": "none"}, ["producers"], id="none"),
        pytest.param({"symbols": "full"}, [".debug_info", "name", "producers"], id="full"),
    ],
)
def test_symbols_say_what_stays_for_backtraces(
    workshop: Workshop, options: dict[str, str], kept: list[str]
) -> None:
    workshop.write({"filter.cc": ""})
    module = workshop.build(**options)
    assert custom_sections(module) == kept
    assert read_module(module).exports == read_module(workshop.zig.linked).exports
    wanted = "-g" if options.get("symbols") == "full" else "-g0"
    assert {"-g", "-g0"} & set(workshop.zig.compiled()["filter.cc"]) == {wanted}


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        pytest.param({"flag": ["-O3"]}, "Object contains unknown field `flag`", id="unknown key"),
        pytest.param({"flags": "-O3"}, "Expected `array`, got `str` - at `$.flags`", id="not a list"),
        pytest.param({"defines": [1]}, "Expected `str`, got `int` - at `$.defines[0]`", id="not a string"),
        pytest.param({"symbols": "some"}, "Invalid enum value 'some' - at `$.symbols`", id="no such choice"),
        pytest.param({"sources": ["/etc/*.c"]}, "sources: '/etc/*.c' leads out of the project", id="root"),
        pytest.param({"sources": ["../*.cc"]}, "sources: '../*.cc' leads out of the project", id="upwards"),
        pytest.param({"sources": ["lib/*.cc"]}, "sources: 'lib/*.cc' matches no file", id="no match"),
        pytest.param({"sources": ["*.toml"]}, "sources: weft.toml is not a source file", id="not a source"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_compiled(
    workshop: Workshop, options: dict[str, Any], complaint: str
) -> None:
    workshop.write({"filter.cc": "", "weft.toml": ""})
    with pytest.raises(UsageError) as caught:
        workshop.build(**options)
    assert str(caught.value) == f"weft.toml: [build]: {complaint}"
    assert workshop.zig.steps == []


def test_a_project_without_source_is_refused(workshop: Workshop) -> None:
    workshop.write({"README.md": ""})
    with pytest.raises(UsageError) as caught:
        workshop.build()
    assert str(caught.value) == f"{workshop.zig.project}: no C++ source"
    assert caught.value.hint == "files ending in .cc, .cpp, .cxx, .c here and in src/ are compiled"


@pytest.mark.parametrize(
    ("include", "hint"),
    [
        pytest.param("", None, id="plain"),
        pytest.param(
            '#include "google/protobuf/util/json_util.h"',
            "there is no protobuf here; read the config with weft::Config of weft_config.h",
            id="protobuf",
        ),
        pytest.param(
            '#include "filter.pb.h"',
            "there is no protobuf here; read the config with weft::Config of weft_config.h",
            id="generated",
        ),
    ],
)
def test_a_refused_source_leaves_no_module_and_the_compilers_words_pass(
    workshop: Workshop, include: str, hint: str | None
) -> None:
    workshop.write({"filter.cc": f"{include}\n#error\n"})
    with pytest.raises(BuildFailed) as caught:
        workshop.build()
    assert caught.value.detail == "#error"
    assert caught.value.hint == hint
    assert list((workshop.root / "out").iterdir()) == []


def test_the_project_is_only_read(workshop: Workshop) -> None:
    workshop.write({"filter.cc": SDK_FIRST, "src/more.cc": ""})
    before = sorted(workshop.zig.project.rglob("*"))
    workshop.build()
    assert sorted(workshop.zig.project.rglob("*")) == before
