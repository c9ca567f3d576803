"""The part of fuzzing that is about Envoy: what the test host played is played there again, and compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from weft.fuzzing import Fails
from weft.scenario import Case, Played
from weft.testhost import Probed
from weft.workflows.testing.findings import Finding, differing, failing, is_endless
from weft.workflows.testing.on_host import HostJob
from weft.workflows.testing.searching import Search
from weft.workflows.testing.test import On, Wishes

if TYPE_CHECKING:
    from weft.envoy import Program

__all__ = ["Comparison"]

_AT_ONCE = 20
_ON_ONE_ENVOY = 100
_PATIENCE = 10.0


@dataclass(slots=True)
class Comparison:
    """Plays on Envoy what the host could play."""

    search: Search
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
            probed = [made for made, found in map(self.search.probe, cases) if not is_endless(found)]
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


def _called(played: Played) -> frozenset[str]:
    return frozenset(call.cluster for step in played.steps if step.observed for call in step.observed.calls)
