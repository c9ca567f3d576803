"""Run a project's scenarios on the test host.

The rules: scenarios are the YAML files under ``tests/`` of the project, in the order of their names; the
module is built first unless one is given; a build whose sources did not change since the last is not
repeated; budgets of the project are checked, those that need no Envoy, unless only some scenarios are run.
"""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weft import __version__
from weft.base.files import atomic_write, os_errors_as, read_limited
from weft.base.paths import Places
from weft.errors import NotFound, UsageError
from weft.project import Project
from weft.scenario import Case, parse, schema
from weft.testhost import Code, Played, Plugin, config_bytes, play
from weft.workflows.authoring.modules import load_module_bytes
from weft.workflows.authoring.sources import Source, read_source
from weft.workflows.authoring.stamp import stamp_of
from weft.workflows.measuring.budgets import Verdict, judged
from weft.workflows.measuring.host import HostFigures, measure_memory

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
    data = load_module_bytes(module) if module else _built(source, places, build)
    defaults = _defaults(source.project)
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


def _defaults(project: Project) -> Plugin:
    config = project.config.default
    return Plugin(project.name, project.root_id, "", b"" if config is None else config_bytes(config))


def _built(source: Source, places: Places, build: Callable[[Path], bytes]) -> bytes:
    """The module of the last build when nothing it was made from changed, else of a new one."""
    key = hashlib.sha256(str(source.folder).encode()).hexdigest()[:16]
    kept, stamped = places.cache / "tested" / f"{key}.wasm", places.cache / "tested" / f"{key}.stamp"
    stamp = f"{__version__} {sorted(_tools(places))} {stamp_of(source)!r}".encode()
    with os_errors_as("cannot use weft's cache"):
        if (
            stamped.is_file()
            and kept.is_file()
            and stamped.read_bytes() == stamp + _digest(kept.read_bytes())
        ):
            return kept.read_bytes()
        module = build(source.folder)
        atomic_write(kept, module)
        atomic_write(stamped, stamp + _digest(module))
    return module


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _tools(places: Places) -> Iterator[str]:
    """Weft's compilers and their versions: another one may make another module."""
    if places.tools.is_dir():
        for tool in os.scandir(places.tools):
            if tool.is_dir():
                yield from (f"{tool.name}/{version.name}" for version in os.scandir(tool.path))
