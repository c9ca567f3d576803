"""Feed a filter what nobody thought of, and keep the smallest scenario for each thing that goes wrong.

The rules: the project's own scenarios are played first, so that what one of them shows already is not found
again, nor what it expects; what is generated depends on the seed and the project alone; each finding is
reported once, and written to the project as a scenario that ``weft test`` runs like any other. On both, all
is played on the host first. Ctrl-C ends the search; what was found until then is kept.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from weft.base.interrupts import Interrupts
from weft.base.paths import Places
from weft.fuzzing import learn
from weft.project import Project
from weft.scenario import Case
from weft.wasm import read_module
from weft.workflows.authoring.modules import load_module
from weft.workflows.testing.comparing import Comparison
from weft.workflows.testing.coverage import Coverage, covered
from weft.workflows.testing.hunt import Found, Hunt
from weft.workflows.testing.on_host import HostJob
from weft.workflows.testing.searching import Search
from weft.workflows.testing.selection import FOLDER, read_any_cases
from weft.workflows.testing.subject import allowed_leak, built_module, defaults_of, source_of
from weft.workflows.testing.test import On, Wishes

__all__ = ["Found", "FuzzReport", "fuzz"]


@dataclass(frozen=True, slots=True)
class FuzzReport:
    """What came of it."""

    project: Project
    seed: int
    played: int
    """Generated scenarios."""
    seconds: float
    found: tuple[Found, ...]
    more: int
    """Findings beyond those that are looked into."""
    unplayed: int
    """Scenarios that Envoy cannot play."""
    used: tuple[Coverage, Coverage]
    stopped: bool
    """Whether somebody stopped it."""


def fuzz(
    folder: Path,
    *,
    count: int,
    seed: int,
    places: Places,
    build: Callable[[Path], bytes],
    wishes: Wishes,
    say: Callable[[str], None],
) -> FuzzReport:
    """Play ``count`` scenarios of ``seed`` and write what they show to the project in ``folder``.

    A file of scenarios may stand in its place: then it is the project's only one, and what is found is
    written beside it. ``build`` compiles a folder; ``say`` hears what takes long. Raises what
    ``run_scenarios`` raises, but for a project without scenarios.
    """
    from weft.workflows.running.loading import from_project

    given, is_file = wishes.module, folder.is_file()
    source = source_of(folder, has_module=given is not None)
    project, base = source.project, folder.resolve().parent if is_file else source.folder
    own = _alone(read_any_cases(folder if is_file else base, wishes.name), say)
    module = load_module(given).data if given else built_module(source, places, build)
    program = wishes.envoy() if wishes.envoy and wishes.on is not On.HOST else None
    told, leak = defaults_of(project), allowed_leak(project)
    job = HostJob(module, places.cache / "modules", told, allowed_leak=leak)
    hunt = Hunt(base, base if is_file else base / FOLDER, f"weft test --fuzz {count} --seed {seed}", say)
    interrupts = Interrupts()
    search = Search(hunt, job.load(interrupts.check))
    schema = from_project(source.folder, project, module).schema
    words = learn(own, schema=schema, portable=program is not None, **_asked_for(module))
    started, stopped = time.monotonic(), False
    try:
        with interrupts.deferred():
            search.look_at(own)
            say(f"playing {count} scenarios, seed {seed}; Ctrl-C stops")
            search.generate(words, seed, count)
            search.leaks()
        interrupts.check()
        if program is not None:
            Comparison(search, job, program, wishes).play()
    except KeyboardInterrupt:
        stopped = True
    return FuzzReport(
        project,
        seed,
        search.played,
        time.monotonic() - started,
        tuple(hunt.found.values()),
        hunt.more,
        search.unplayed,
        covered(module, search.used),
        stopped,
    )


def _alone(cases: Iterable[Case], say: Callable[[str], None]) -> list[Case]:
    """Without those in which other filters play a part, for what goes wrong may be theirs."""
    alone = []
    for case in cases:
        if any(one.module for one in case.setup.neighbors):
            say(f"left out, as other filters have a part in it: {case.name}")
        else:
            alone.append(case)
    return alone


def _asked_for(module: bytes) -> dict[str, bool]:
    """What a filter can do by what it imports."""
    imports = {one.name for one in read_module(module).imports}
    return {
        "calls": "proxy_http_call" in imports,
        "grpc": bool({"proxy_grpc_call", "proxy_grpc_stream"} & imports),
        "ticks": "proxy_set_tick_period_milliseconds" in imports,
    }
