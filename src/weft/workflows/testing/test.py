"""Run a project's scenarios on the test host.

The rules: scenarios are the YAML files under ``tests/`` of the project, in the order of their names; the
module is built first unless one is given; a build whose sources did not change since the last is not
repeated; budgets of the project are checked, those that need no Envoy, unless only some scenarios are run.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weft.base.files import os_errors_as, read_limited
from weft.base.paths import Places
from weft.errors import NotFound, UsageError
from weft.project import Project
from weft.scenario import Case, parse, schema
from weft.testhost import Code, Played, Plugin, play
from weft.workflows.authoring.modules import load_module_bytes
from weft.workflows.authoring.sources import read_source
from weft.workflows.measuring.budgets import Verdict, judged
from weft.workflows.measuring.host import HostFigures, measure_memory
from weft.workflows.testing.subject import built_module, defaults_of

__all__ = ["Report", "run_scenarios", "scenario_schema"]

_FOLDER = "tests"
_MOST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Report:
    """How all chosen scenarios went."""

    project: Project
    results: tuple[Played, ...]
    seconds: float
    """Of the scenarios, without the build."""
    left_out: int
    budgets: tuple[Verdict, ...] = ()
    """Of the project, those that can be told without Envoy."""

    @property
    def exceeded(self) -> tuple[Verdict, ...]:
        """Budgets that were not kept."""
        return tuple(verdict for verdict in self.budgets if not verdict.kept)

    @property
    def failed(self) -> tuple[Played, ...]:
        """Those that did not go as expected."""
        return tuple(result for result in self.results if not result.passed)


def run_scenarios(
    folder: Path, *, places: Places, build: Callable[[Path], bytes], module: str | None = None, name: str = ""
) -> Report:
    """Run the scenarios of the project in ``folder`` whose names contain ``name``.

    ``build`` compiles a folder; it is not called where ``module`` names one that is built already. Raises
    ``NotFound`` where there is no scenario, ``UsageError`` for one that is wrong, and what building raises.
    """
    source = read_source(folder)
    cases = [case for path in _files(source.folder) for case in _read(path, source.folder)]
    chosen = [case for case in cases if name.lower() in case.name.lower()]
    if not chosen:
        raise NotFound(f"no scenario's name contains {name!r}", hint="weft test without -k runs all")
    data = load_module_bytes(module) if module else built_module(source, places, build)
    defaults = defaults_of(source.project)
    code = Code.load(data, places.cache / "modules")
    started = time.monotonic()
    results = tuple(play(case, code, defaults) for case in chosen)
    seconds = time.monotonic() - started
    budgets = _budgets(source.project, code, defaults, len(data)) if not name else ()
    return Report(source.project, results, seconds, len(cases) - len(chosen), budgets)


def _budgets(project: Project, code: Code, defaults: Plugin, module_size: int) -> tuple[Verdict, ...]:
    """The cheap ones: nothing is measured that no budget asks for."""
    limits = [limit for limit in project.budgets.limits() if limit.name != "cpu_per_request"]
    if not limits:
        return ()
    figures: dict[str, float] = {"module_size": module_size}
    if any(limit.name != "module_size" for limit in limits):
        figures = HostFigures(module_size, measure_memory(code, defaults)).figures
    return judged(limits, figures)


def scenario_schema() -> dict[str, Any]:
    """The JSON Schema of the files of scenarios."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema()}


def _files(folder: Path) -> list[Path]:
    tests = folder / _FOLDER
    found = sorted(path for pattern in ("*.yaml", "*.yml") for path in tests.rglob(pattern))
    if not found:
        raise NotFound(f"{tests} holds no scenarios (*.yaml)", hint="weft init makes a project that has some")
    return found


def _read(path: Path, folder: Path) -> list[Case]:
    where = str(path.relative_to(folder))
    with os_errors_as(f"cannot read {path}"):
        data = read_limited(path, _MOST_BYTES)
    if data is None:
        raise UsageError(f"{where} is larger than {_MOST_BYTES >> 20} MB")
    return parse(data.decode("utf-8", "replace"), where=where)
