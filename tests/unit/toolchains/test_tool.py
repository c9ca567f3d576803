"""The table of tools: versions are read and judged."""

import pytest

from weft.toolchains import TOOLS, Tool
from weft.toolchains.tool import OnPath, read_version


@pytest.mark.parametrize(
    ("text", "version"),
    [
        pytest.param("go version go1.26.8 linux/amd64", (1, 26, 8), id="go"),
        pytest.param("go version go1.27rc1 linux/amd64", (1, 27, 0), id="go candidate"),
        pytest.param("v20.20.2\n", (20, 20, 2), id="node"),
        pytest.param("0.17.0\n", (0, 17, 0), id="zig"),
        pytest.param("0.18.0-dev.21+fab1c2", (0, 18, 0), id="zig nightly"),
        pytest.param("cargo 1.95.0 (f2d3ce0bd 2026-03-21)", (1, 95, 0), id="cargo"),
        pytest.param("\n/e/envoy  version: 9e55/1.40.0/Clean/RELEASE/BoringSSL\n", (1, 40, 0), id="envoy"),
        pytest.param("Version 0.28.20", (0, 28, 20), id="asc"),
        pytest.param("no idea", None, id="none"),
        pytest.param("3", None, id="one number"),
    ],
)
def test_a_version_is_read_from_what_programs_say(text: str, version: tuple[int, ...] | None) -> None:
    assert read_version(text) == version


@pytest.mark.parametrize(
    ("version", "refusal"),
    [
        pytest.param((0, 16, 9), "weft needs 0.17 or newer", id="too old"),
        pytest.param((0, 17, 0), None, id="the first"),
        pytest.param((0, 17, 9), None, id="the last"),
        pytest.param((0, 18, 0), "weft needs one older than 0.18", id="too new"),
    ],
)
def test_a_version_outside_the_range_is_refused(version: tuple[int, ...], refusal: str | None) -> None:
    assert OnPath(("zig",), minimum=(0, 17), below=(0, 18)).refuse(version) == refusal


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_every_tool_can_be_had_somehow(tool: Tool) -> None:
    assert tool.package or (tool.on_path and tool.advice)


def test_a_tool_comes_after_what_it_needs() -> None:
    order = list(TOOLS)
    for tool in TOOLS.values():
        assert all(order.index(need) < order.index(tool.name) for need in tool.needs)
