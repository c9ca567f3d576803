"""What every test may ask for.

``weft(...)`` runs the program as a function, in a home of its own. ``@pytest.mark.real("envoy", "cpp")``
says which real parts a test needs; a test whose parts are missing is left out and named at the end of
the run, and where ``CI=true`` that is a failure.
"""

import io
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

from parts import missing_parts
from weft.cli import run

# No test depends on how busy the machine is.
settings.register_profile("weft", deadline=None)
settings.load_profile("weft")


@dataclass(frozen=True)
class Result:
    """What a run of the program gave."""

    code: int
    out: str
    err: str


Weft = Callable[..., Result]

MISSING = pytest.StashKey[str]()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A WEFT_HOME of this test's own, with the machine's compilers and Envoy in it."""
    from weft.base.paths import Places

    home = tmp_path / "weft-home"
    home.mkdir()
    places = Places.from_env(os.environ)
    (home / "tools").symlink_to(places.tools)
    (home / "cache").symlink_to(places.cache)
    return home


@pytest.fixture
def env(home: Path) -> dict[str, str]:
    """The environment the program is given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WEFT_")}
    return kept | {"WEFT_HOME": str(home)}


@pytest.fixture
def weft(env: dict[str, str]) -> Weft:
    """Run the program: ``weft("list", "-o", "json")``; ``stdin=`` feeds it, ``NAME=value`` sets variables."""

    def call(*argv: str | Path, stdin: str = "", **more: str) -> Result:
        out, err = io.StringIO(), io.StringIO()
        code = run([str(word) for word in argv], io.StringIO(stdin), out, err, env | more)
        return Result(code, out.getvalue(), err.getvalue())

    return call


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out tests whose real parts are not here; under CI nothing may be left out."""
    for item in items:
        for mark in item.iter_markers("real"):
            lacking = missing_parts(mark.args)
            if not lacking:
                continue
            reason = "; ".join(f"{part}: {why}" for part, why in lacking.items())
            if os.environ.get("CI") == "true":
                item.stash[MISSING] = reason
            else:
                item.add_marker(pytest.mark.skip(reason=f"left out, no {reason}"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail a test that CI would otherwise leave out."""
    if reason := item.stash.get(MISSING, None):
        pytest.fail(f"a real part is missing under CI: {reason}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the real parts that were missing, and how many tests that left out."""
    reasons = Counter(
        report.longrepr[2].removeprefix("Skipped: left out, no ")
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple) and "left out, no " in report.longrepr[2]
    )
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"left out {count} tests, no {reason}", yellow=True)
