"""The real tools: each that is here runs and is the version it was taken for."""

import pytest

from parts import toolbox
from weft.toolchains import TOOLS
from weft.toolchains.search import run_quietly
from weft.toolchains.tool import read_version

PARTS = {"zig": "cpp", "go": "go", "node": "assemblyscript", "rust": "rust", "envoy": "envoy"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.real(part), id=name) for name, part in PARTS.items()]
)
def test_a_tool_that_was_found_runs_and_is_the_version_it_was_taken_for(name: str) -> None:
    box = toolbox()
    found = box.find(name)
    assert found
    answer = run_quietly([found.path, *TOOLS[name].ask_version], box.env)
    assert answer is not None
    version = read_version(answer)
    assert version is not None
    assert ".".join(str(part) for part in version) == found.version


@pytest.mark.real("assemblyscript")
def test_the_assemblyscript_compiler_runs_under_the_node_that_was_found() -> None:
    box = toolbox()
    tools = box.require(["node", "assemblyscript"])
    answer = run_quietly([tools["node"], tools["assemblyscript"], "--version"], box.env)
    assert answer == "Version 0.28.20\n"
