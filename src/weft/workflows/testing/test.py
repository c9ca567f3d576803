"""Run a project's scenarios: on the test host, on a real Envoy, or on both.

The rules: the module is built first unless one is given; a build whose sources did not change since the last
is not repeated; on both, everything that was seen must be the same, whether or not a scenario expects it;
budgets of the project are checked, those that need no Envoy, unless only some scenarios are run.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from weft.base.paths import Places
from weft.project import Project
from weft.scenario import Case, Played
from weft.testhost import Code
from weft.workflows.authoring.modules import load_module, stored_module
from weft.workflows.measuring.budgets import Verdict, judged
from weft.workflows.measuring.host import HostFigures, measure_memory
from weft.workflows.testing.on_host import HostJob, play_on_host
from weft.workflows.testing.selection import neighbors, read_cases, scenario_schema
from weft.workflows.testing.subject import allowed_leak, built_module, defaults_of, source_of

if TYPE_CHECKING:
    from weft.envoy import Program

__all__ = ["On", "Report", "Wishes", "run_scenarios", "scenario_schema"]


class On(StrEnum):
    """Where scenarios are played."""

    HOST = "host"
    ENVOY = "envoy"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line says."""

    module: str | None = None
    """A module that is built already."""
    name: str = ""
    """Only the cases whose names contain it."""
    on: On = On.HOST
    jobs: int = 1
    """How many processors may be used."""
    envoy: "Callable[[], Program] | None" = None
    """Finds Envoy; asked when one is needed."""
    env: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Report:
    """How all chosen scenarios went."""

    project: Project
    module: bytes = field(repr=False)
    results: tuple[Played, ...]
    """On both: all on the host, then all on Envoy."""
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
    folder: Path, *, places: Places, build: Callable[[Path], bytes], wishes: Wishes = Wishes()
) -> Report:
    """Run the scenarios of the project in ``folder``, or those of a file.

    ``build`` compiles a folder; it is not called where a module is given. Raises ``NotFound`` where there is
    no scenario, ``UsageError`` for one that is wrong, and what building and starting an Envoy raise.
    """
    given = wishes.module
    source = source_of(folder, has_module=given is not None)
    cases, left_out = read_cases(folder if folder.is_file() else source.folder, wishes.name)
    module = load_module(given).data if given else built_module(source, places, build)
    others = neighbors(cases, stored_module(places.store))
    project = source.project
    told, leak = defaults_of(project), allowed_leak(project)
    job = HostJob(module, places.cache / "modules", told, others, leak)
    program = wishes.envoy() if wishes.envoy and wishes.on is not On.HOST else None
    started = time.monotonic()
    results = play_on_host(cases, job, wishes.jobs) if wishes.on is not On.ENVOY else []
    if program is not None:
        results += _on_envoy(cases, job, program, results, wishes)
    seconds = time.monotonic() - started
    budgets = _budgets(project, job) if not wishes.name else ()
    return Report(project, module, tuple(results), seconds, left_out, budgets)


def _budgets(project: Project, job: HostJob) -> tuple[Verdict, ...]:
    """The cheap ones: nothing is measured that no budget asks for."""
    limits = [limit for limit in project.budgets.limits() if limit.name != "cpu_per_request"]
    if not limits:
        return ()
    size = len(job.module)
    figures: dict[str, float] = {"module_size": size}
    if any(limit.name != "module_size" for limit in limits):
        code = Code.load(job.module, job.cache)
        figures = HostFigures(size, measure_memory(code, job.defaults)).figures
    return judged(limits, figures)


def _on_envoy(
    cases: list[Case], job: HostJob, program: "Program", on_host: list[Played], wishes: Wishes
) -> list[Played]:
    import asyncio

    from weft.stage import Project as Told
    from weft.workflows.testing.on_both import compared
    from weft.workflows.testing.on_envoy import EnvoyJob, play_on_envoy

    before = {id(case): played for case, played in zip(cases, on_host, strict=False)}

    def called(case: Case) -> frozenset[str]:
        if case.setup.clusters is not None:
            return frozenset()
        played = before.get(id(case)) or play_on_host([case], job, 1)[0]
        seen = (step.observed for step in played.steps if step.observed)
        return frozenset(call.cluster for one in seen for call in one.calls)

    told = Told(job.defaults.name, job.defaults.root_id, job.defaults.config)
    envoy_job = EnvoyJob(job.module, program, wishes.env, told, called, job.others)
    results = asyncio.run(play_on_envoy(cases, envoy_job, wishes.jobs))
    return compared(on_host, results) if on_host else results
