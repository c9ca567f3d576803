"""The part of fuzzing that needs no Envoy: scenarios are played on the test host, and looked at."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from weft.fuzzing import Fails, Vocabulary, generate
from weft.scenario import Case, Expect
from weft.testhost import Limits, Probed, probe
from weft.workflows.testing.coverage import used_in
from weft.workflows.testing.findings import Finding, Kind, found_on_host, is_endless
from weft.workflows.testing.hunt import Hunt
from weft.workflows.testing.leaks import LeakSearch

__all__ = ["Search"]

# A callback that needs more is looked at again with the limits of ``weft test`` before it is called endless.
_QUICK = Limits(fuel=100_000_000)


@dataclass(slots=True)
class Search:
    """Plays on the host."""

    hunt: Hunt
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
        if is_endless(finding) and finding.key not in self.hunt.found:
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
        elif not is_endless(finding):
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
