"""What the AssemblyScript language asks of its compiler, and what it makes of the result.

``Asc`` is the compiler as a world: it writes what ``--outFile`` names, out of the entry it is given, and
refuses an entry that says ``error``.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from weft.base.files import atomic_write
from weft.base.processes import Finished
from weft.errors import BuildFailed, UsageError, WeftError
from weft.toolchains import LANGUAGES, Job, sdk_folder
from weft.wasm import CALLBACKS, HOST_FUNCTIONS

SDK = sdk_folder("assemblyscript")


@dataclass
class Asc:
    """A compiler that only writes files; ``runs`` are the words of each run, with the programs."""

    writes: bool = True
    runs: list[list[str]] = field(default_factory=list)
    configs: list[str] = field(default_factory=list)

    async def __call__(
        self,
        command: Sequence[str | Path],
        *,
        cwd: Path,
        env: Mapping[str, str] | None = None,  # noqa: ARG002 - part of the contract
    ) -> Finished:
        words = [str(word) for word in command]
        self.runs.append(words)
        self.configs.append((cwd / self.value("--config")).read_text())
        text = (cwd / words[4]).read_text()
        if "error" in text:
            raise BuildFailed("the compiler refused it", detail="ERROR TS1000: something")
        if self.writes:
            atomic_write(Path(self.value("--outFile")), b"\0asm" + text.encode())
        return Finished(0, "")

    def value(self, flag: str) -> str:
        """What follows a flag in the last run."""
        return self.runs[-1][self.runs[-1].index(flag) + 1]


@dataclass(frozen=True)
class Workshop:
    """A project folder and what a job has around it."""

    root: Path
    asc: Asc

    @property
    def project(self) -> Path:
        return self.root / "project"

    def write(self, name: str, text: str) -> None:
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def build(self, **options: Any) -> bytes:
        """The module's bytes."""
        scratch = self.root / "scratch"
        scratch.mkdir(exist_ok=True)
        tools = {"node": Path("/tools/node"), "assemblyscript": Path("/tools/asc.js")}
        output = self.root / "out" / "filter.wasm"
        job = Job(self.project, output, scratch, self.root / "cache", tools, self.asc, options)
        asyncio.run(LANGUAGES["assemblyscript"].build(job))
        return output.read_bytes()


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    workshop = Workshop(tmp_path, Asc())
    workshop.write("assembly/index.ts", "filter")
    return workshop


def test_it_needs_node_and_the_compiler() -> None:
    assert LANGUAGES["assemblyscript"].tools == ("node", "assemblyscript")


def test_the_entry_is_compiled_with_the_sdk_in_reach(workshop: Workshop) -> None:
    assert workshop.build() == b"\0asmfilter"
    (words,) = workshop.asc.runs
    assert words[:2] == ["/tools/node", "--require"]
    assert words[2:5] == [str(SDK / "quick.cjs"), "/tools/asc.js", "assembly/index.ts"]
    libraries = [words[at + 1] for at, word in enumerate(words) if word == "--lib"]
    assert libraries == [str(SDK), str(SDK / "globals.ts")]
    assert workshop.asc.value("--transform") == str(SDK / "transform.mjs")
    assert workshop.asc.value("--exportStart") == "_initialize"


def test_what_envoy_does_not_have_comes_from_the_sdk(workshop: Workshop) -> None:
    workshop.build()
    (words,) = workshop.asc.runs
    used = {words[at + 1] for at, word in enumerate(words) if word == "--use"}
    assert used == {
        "abort=abort_proc_exit",
        "console=proxy_console",
        "seed=proxy_seed",
        "trace=proxy_trace",
    }
    text = (SDK / "globals.ts").read_text()
    assert all(f" {name.split('=')[1]}" in text for name in used)


def test_an_asconfig_of_the_project_is_not_read(workshop: Workshop) -> None:
    workshop.write("asconfig.json", '{"options": {"textFile": "build/filter.wat"}}')
    workshop.build()
    assert workshop.asc.configs == ["{}\n"]


def test_the_project_is_only_read(workshop: Workshop) -> None:
    workshop.build()
    files = [path.relative_to(workshop.project) for path in workshop.project.rglob("*") if path.is_file()]
    assert files == [Path("assembly/index.ts")]


def test_another_entry_and_more_flags(workshop: Workshop) -> None:
    workshop.write("src/filter.ts", "other")
    assert workshop.build(entry="src/filter.ts", flags=["-O3", "--runtime", "minimal"]) == b"\0asmother"
    assert workshop.asc.runs[0][-3:] == ["-O3", "--runtime", "minimal"]


@pytest.mark.parametrize(("symbols", "kept"), [("names", True), ("none", False)])
def test_the_names_of_functions_are_kept_or_not(workshop: Workshop, symbols: str, kept: bool) -> None:
    workshop.build(symbols=symbols)
    assert ("--debug" in workshop.asc.runs[0]) == kept


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        pytest.param({"optimise": 3}, "Object contains unknown field `optimise`", id="unknown"),
        pytest.param({"entry": 1}, "Expected `str`, got `int` - at `$.entry`", id="entry's type"),
        pytest.param({"symbols": "all"}, "Invalid enum value 'all' - at `$.symbols`", id="symbols"),
        pytest.param({"flags": "-O3"}, "Expected `array`, got `str` - at `$.flags`", id="flags' type"),
        pytest.param({"flags": ["-o", "x"]}, "flags: -o is weft's own to set", id="another output"),
        pytest.param(
            {"flags": ["--textFile=a.wat"]},
            "flags: --textFile=a.wat is weft's own to set",
            id="a second file",
        ),
        pytest.param({"flags": ["--", "-e"]}, "flags: -- is weft's own to set", id="options for node"),
        pytest.param({"entry": "../x.ts"}, "entry: '../x.ts' leads out of the project", id="above"),
        pytest.param({"entry": "/etc/x.ts"}, "entry: '/etc/x.ts' leads out of the project", id="elsewhere"),
    ],
)
def test_wrong_options_are_named(workshop: Workshop, options: dict[str, object], complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        workshop.build(**options)
    assert str(caught.value) == f"weft.toml: [build]: {complaint}"
    assert workshop.asc.runs == []


@pytest.mark.parametrize("entry", ["assembly/main.ts", "assembly", "assembly/index.js"])
def test_a_missing_entry_is_named(workshop: Workshop, entry: str) -> None:
    workshop.write("assembly/index.js", "")
    with pytest.raises(UsageError) as caught:
        workshop.build(entry=entry)
    assert str(caught.value) == f"{workshop.project}: no AssemblyScript source {entry}"
    assert caught.value.hint == 'name the file to compile in weft.toml: [build] entry = "assembly/index.ts"'


def test_the_compilers_words_are_handed_on_and_nothing_is_left(workshop: Workshop) -> None:
    workshop.write("assembly/index.ts", "error")
    caught = failure(workshop)
    assert (caught.detail, caught.hint) == ("ERROR TS1000: something", None)
    assert not (workshop.root / "out").exists()


def test_a_filter_for_wasmes_sdk_is_told_what_changed(workshop: Workshop) -> None:
    workshop.write("assembly/index.ts", "error ContextHelper.wrap(new AddHeader(this))")
    hint = failure(workshop).hint
    assert hint is not None
    assert hint.startswith("this is written for @solo-io/proxy-runtime 0.1.1")


def test_a_compiler_that_writes_nothing_is_a_failure(workshop: Workshop) -> None:
    workshop.asc.writes = False
    assert str(failure(workshop)) == "the compiler wrote no module"


def failure(workshop: Workshop) -> WeftError:
    with pytest.raises(BuildFailed) as caught:
        workshop.build()
    return caught.value


def test_the_transform_knows_every_callback_that_the_sdk_exports() -> None:
    exported = set(parameters((RUNTIME / "proxy.ts").read_text()))
    known = set(re.findall(r"^  (proxy_\w+): ", (SDK / "transform.mjs").read_text(), re.MULTILINE))
    assert exported - known == {
        "proxy_abi_version_0_2_1",
        "proxy_on_configure",
        "proxy_on_context_create",
        "proxy_on_delete",
        "proxy_on_memory_allocate",
        "proxy_on_vm_start",
    }
    assert known <= exported


RUNTIME = SDK / "@solo-io" / "proxy-runtime"
# What the host functions have that a filter in this language does not need, and why.
NOT_OFFERED = {
    "emscripten_notify_memory_growth": "only for modules of Emscripten",
    "pthread_equal": "only for modules of Emscripten",
}


def parameters(text: str) -> dict[str, int]:
    """Function → how many parameters it declares."""
    found = re.findall(r"^export (?:declare )?function (\w+)\(([^)]*)\)", text, re.MULTILINE)
    return {name: len([one for one in declared.split(",") if one.strip()]) for name, declared in found}


def test_the_sdk_exports_every_callback_of_the_abi() -> None:
    exported = parameters((RUNTIME / "proxy.ts").read_text())
    wanted = {one.name: len(one.params) for one in CALLBACKS if "0.2.1" in one.abis}
    assert {name: exported.get(name) for name in wanted} == wanted


def test_the_sdk_offers_every_host_function_of_the_abi_and_no_other() -> None:
    offered = parameters((RUNTIME / "imports.ts").read_text())
    there = {
        one.name: len(one.params) for one in HOST_FUNCTIONS if one.module == "env" and "0.2.1" in one.abis
    }
    assert offered == {name: count for name, count in there.items() if name not in NOT_OFFERED}
