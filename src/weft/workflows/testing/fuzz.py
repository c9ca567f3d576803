"""Feed a filter what nobody thought of, and keep the smallest scenario for each thing that goes wrong.

The rules: the project's own scenarios are played first, so that what one of them shows already is not found
again, nor what it expects; what is generated depends on the seed and the project alone; each finding is
reported once, and written to the project as a scenario that ``weft test`` runs like any other. On both, all
is played on the host first. Ctrl-C ends the search; what was found until then is kept.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

from weft.base.interrupts import Interrupts
from weft.base.paths import Places
from weft.fuzzing import Fails, Vocabulary, generate, learn
from weft.project import Project
from weft.scenario import Case, Expect, Played
from weft.testhost import Limits, Probed, probe
from weft.wasm import read_module
from weft.workflows.authoring.modules import load_module
from weft.workflows.testing.coverage import Coverage, covered, used_in
from weft.workflows.testing.findings import Finding, Kind, differing, failing, found_on_host
from weft.workflows.testing.hunt import Found, Hunt
from weft.workflows.testing.leaks import LeakSearch
from weft.workflows.testing.on_host import HostJob
from weft.workflows.testing.selection import FOLDER, read_any_cases
from weft.workflows.testing.subject import allowed_leak, built_module, defaults_of, source_of
from weft.workflows.testing.test import On, Wishes

if TYPE_CHECKING:
    from weft.envoy import Program

__all__ = ["Found", "FuzzReport", "fuzz"]

# A callback that needs more is looked at again with the limits of ``weft test`` before it is called endless.
_QUICK = Limits(fuel=100_000_000)
_AT_ONCE = 20
_ON_ONE_ENVOY = 100
_PATIENCE = 10.0


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
    search = _Search(hunt, job, job.load(interrupts.check))
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
            _Comparison(search, job, program, wishes).play()
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


@dataclass(slots=True)
class _Search:
    """Plays on the host."""

    hunt: Hunt
    job: HostJob
    leaking: LeakSearch
    good: list[Probed] = field(default_factory=list)
    """Those in which nothing went wrong."""
    bad: list[Probed] = field(default_factory=list)
    """Those that Envoy may be asked about, too: all but those without an end."""
    quiet: list[Case] = field(default_factory=list)
    """The cases of the good, the project's own with what they expect."""
    used: set[str] = field(default_factory=set)
    """Names of callbacks and host functions."""
    played: int = 0
    unplayed: int = 0

    def look_at(self, own: Iterable[Case]) -> None:
        """What the project's own scenarios show, or expect, needs no other."""
        for case in own:
            probed, finding = self.probe(case)
            self._keep(probed, finding, case.expect)
            if finding is None:
                pass
            elif _wants(case, finding):
                self.hunt.expected.add(finding.key)
            elif _shows(case, finding, probed):
                self.hunt.take(finding, case)
            else:
                self.hunt.take(finding, probed.case, self._fails_like(finding))
            if case.expect is not None and case.expect.leaks:
                self.hunt.expected |= {leak.finding.key for leak in self.leaking.leaks([case])}

    def generate(self, words: Vocabulary, seed: int, count: int) -> None:
        """Play the cases of the seed."""
        for number in range(count):
            probed, finding = self.probe(generate(seed, number, words))
            self._keep(probed, finding)
            self.played += 1
            if finding is not None:
                self.hunt.take(finding, probed.case, self._fails_like(finding))

    def leaks(self) -> None:
        """Play what went well over and over."""
        for leak in self.leaking.search(self.quiet):
            shown = leak.case is not None and leak.case.expect is not None and leak.case.expect.leaks is False
            self.hunt.take(leak.finding, leak.case, None if shown else self.leaking.fails_like(leak))

    def probe(self, case: Case) -> tuple[Probed, Finding | None]:
        """Play a case; one that takes long is played again with more patience."""
        probed = self._probe(case, _QUICK)
        finding = found_on_host(probed)
        if _endless(finding) and finding.key not in self.hunt.found:
            probed = self._probe(case)
            finding = found_on_host(probed)
        return probed, finding

    def _probe(self, case: Case, limits: Limits | None = None) -> Probed:
        self.leaking.check()
        return probe(case, self.leaking.code, self.leaking.defaults, limits=limits)

    def _keep(self, probed: Probed, finding: Finding | None, expect: Expect | None = None) -> None:
        self.used |= used_in(probed.played.trace)
        if finding is None:
            self.good.append(probed)
            self.quiet.append(replace(probed.case, expect=expect))
        elif not _endless(finding):
            self.bad.append(probed)

    def _fails_like(self, finding: Finding) -> Fails:
        def fails(cases: Sequence[Case]) -> Case | None:
            for case in cases:
                probed = self._probe(case, _QUICK)
                again = found_on_host(probed)
                if again is not None and again.key == finding.key:
                    return probed.case
            return None

        return fails


def _wants(case: Case, finding: Finding) -> bool:
    """Whether the case expects this."""
    if finding.kind is Kind.HELD:
        return case.expect is not None and case.expect.held is True
    return any(expect is not None and expect.crash is not None for expect in _expects(case))


def _shows(case: Case, finding: Finding, probed: Probed) -> bool:
    """Whether the case fails by itself, not by what came about later."""
    if finding.kind is Kind.HELD:
        return case.expect is not None and case.expect.held is False
    return len(probed.case.steps) <= len(case.steps)


def _expects(case: Case) -> Iterator[Expect | None]:
    yield case.expect
    yield from (step.expect for step in case.steps)


@dataclass(slots=True)
class _Comparison:
    """Plays on Envoy what the host could play."""

    search: _Search
    job: HostJob
    program: "Program"
    wishes: Wishes

    def play(self) -> None:
        """Everything; without the host only what fails there is a finding."""
        every = [*self.search.bad, *self.search.good]
        for start in range(0, len(every), _ON_ONE_ENVOY):
            some = every[start : start + _ON_ONE_ENVOY]
            self.search.hunt.say(f"on Envoy: {start} of {len(every)}")
            for probed, played in zip(some, self._on_envoy(some), strict=True):
                self.search.unplayed += played.unplayed
                finding = self._finding(probed.played, played)
                if finding is not None:
                    self._take(finding, probed.case)

    def _take(self, finding: Finding, case: Case) -> None:
        """Only what is seen twice: a busy machine may be slower than a scenario."""
        hunt, fails = self.search.hunt, self._fails_like(finding)
        if finding.key in hunt.found or fails([case]) is not None:
            hunt.take(finding, case, fails, at_once=_AT_ONCE, on=self.wishes.on)

    def _finding(self, host: Played, envoy: Played) -> Finding | None:
        return differing(host, envoy) if self.wishes.on is On.BOTH else failing(envoy)

    def _fails_like(self, finding: Finding) -> Fails:
        def fails(cases: Sequence[Case]) -> Case | None:
            probed = [made for made, found in map(self.search.probe, cases) if not _endless(found)]
            for made, played in zip(probed, self._on_envoy(probed), strict=True):
                again = self._finding(made.played, played)
                if again is not None and again.key == finding.key:
                    return made.case
            return None

        return fails

    def _on_envoy(self, some: Sequence[Probed]) -> list[Played]:
        import asyncio

        from weft.stage import Project as Told
        from weft.workflows.testing.on_envoy import EnvoyJob, play_on_envoy

        called = {id(probed.case): _called(probed.played) for probed in some}
        defaults = self.job.defaults
        told = Told(defaults.name, defaults.root_id, defaults.config)
        job = EnvoyJob(
            self.job.module,
            self.program,
            self.wishes.env,
            told,
            lambda case: called[id(case)],
            patience=_PATIENCE,
        )
        return asyncio.run(play_on_envoy([probed.case for probed in some], job, self.wishes.jobs))


def _endless(finding: Finding | None) -> TypeGuard[Finding]:
    return finding is not None and finding.kind is Kind.ENDLESS


def _called(played: Played) -> frozenset[str]:
    return frozenset(call.cluster for step in played.steps if step.observed for call in step.observed.calls)
