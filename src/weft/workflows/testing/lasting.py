"""Judge what no step shows: what a filter holds for good, and what grows each time a scenario happens.

Only the test host can tell. It is looked at when all else is as expected.
"""

from collections.abc import Iterator
from dataclasses import replace

from weft.scenario import Case, Mismatch, Played
from weft.testhost import probe
from weft.workflows.testing.findings import failing
from weft.workflows.testing.leaks import LeakSearch

__all__ = ["with_lasting"]


def with_lasting(played: Played, search: LeakSearch) -> Played:
    """``played`` with what its case expects of ``held`` and ``leaks``, and is not so."""
    if played.case.expect is None or not played.passed:
        return played
    found = (*_held(played.case, search), *_leaks(played.case, search))
    *before, end = played.steps
    return replace(played, steps=(*before, replace(end, mismatches=found)))


def _held(case: Case, search: LeakSearch) -> Iterator[Mismatch]:
    wanted = case.expect.held if case.expect else None
    if wanted is None:
        return
    probed = probe(case, search.code, search.defaults, search.others)
    failure = failing(probed.played)
    if failure is not None:
        yield Mismatch("crash", "the filter lives", failure.title)
    elif wanted != bool(probed.held):
        yield Mismatch("held", _said(wanted), ", ".join(probed.held) or "false")


def _leaks(case: Case, search: LeakSearch) -> Iterator[Mismatch]:
    wanted = case.expect.leaks if case.expect else None
    if wanted is None:
        return
    leaks = search.leaks([case])
    if wanted != bool(leaks):
        got = "\n".join(line for leak in leaks for line in (leak.finding.title, *leak.finding.detail))
        yield Mismatch("leaks", _said(wanted), got or "false")


def _said(wanted: bool) -> str:
    return str(wanted).lower()
