"""Envoy's command line: ours, unless the user said otherwise."""

from pathlib import Path

import pytest

from weft.envoy.arguments import Levels, envoy_arguments

OURS = ["--config-path", "/run/b.json", "--admin-address-path", "/run/admin.address"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(
            [],
            [
                *("--disable-hot-restart", "--concurrency", "1"),
                *("--log-level", "warning", "--component-log-level", "wasm:info"),
            ],
            id="nothing given",
        ),
        pytest.param(
            ["-l", "trace"],
            ["--disable-hot-restart", "--concurrency", "1", "-l", "trace"],
            id="level",
        ),
        pytest.param(
            ["--component-log-level", "upstream:debug,wasm:trace", "--concurrency", "4"],
            [
                *("--disable-hot-restart", "--log-level", "warning"),
                *("--component-log-level", "wasm:info,upstream:debug,wasm:trace", "--concurrency", "4"),
            ],
            id="components are joined",
        ),
        pytest.param(
            ["--log-level", "info", "--component-log-level", "http:debug"],
            [
                *("--disable-hot-restart", "--concurrency", "1"),
                *("--component-log-level", "http:debug", "--log-level", "info"),
            ],
            id="level and components",
        ),
        pytest.param(
            ["--disable-hot-restart", "--component-log-level"],
            [
                *("--concurrency", "1", "--log-level", "warning", "--component-log-level", "wasm:info"),
                *("--disable-hot-restart", "--component-log-level"),
            ],
            id="a value that is missing is Envoy's to miss",
        ),
    ],
)
def test_the_users_words_win(given: list[str], expected: list[str]) -> None:
    words = envoy_arguments(Path("/run/b.json"), Path("/run"), Levels(), given)
    assert words == OURS + expected


def test_levels_are_said_for_envoy_and_for_filters() -> None:
    words = envoy_arguments(Path("/b"), Path("/"), Levels(envoy="info", wasm="trace"), [])
    assert words[-4:] == ["--log-level", "info", "--component-log-level", "wasm:trace"]
