"""How ``weft test --fuzz`` shows what was found."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weft.cli.output.scenarios import coverage_document, coverage_lines

if TYPE_CHECKING:
    from weft.workflows.testing.fuzz import FuzzReport
    from weft.workflows.testing.hunt import Found

__all__ = ["counted", "fuzz_document", "fuzz_lines"]

_MOST_DETAIL, _MOST_WIDE = 30, 400


def fuzz_lines(
    report: "FuzzReport", *, module: str | None, envoy: str | None, with_coverage: bool
) -> Iterator[str]:
    """For people: what was found, how to see it again, and how much was tried.

    ``module`` and ``envoy`` are what the command line said.
    """
    words = ["weft", "test", *(["--module", module] if module else [])]
    there = ["--envoy", envoy] if envoy else []
    for found in report.found:
        finding = found.finding
        yield f"{finding.kind:8}{finding.title}"
        yield from (f"          {_plain(line)}" for line in finding.detail[:_MOST_DETAIL])
        if found.case is not None:
            steps = len(found.case.steps)
            yield f"      {_shown(found.file)}: {steps} step{'s'[: steps != 1]}"
            yield f"      again: {shlex.join([*words, *_again(found, there)])}"
    if with_coverage:
        yield from coverage_lines(report.used)
    yield _summary(report)


def _again(found: "Found", there: list[str]) -> Iterator[str]:
    """The arguments that show it."""
    if found.on != "host":
        yield from ("--on", found.on, *there)
    yield _shown(found.file)
    if found.case is not None and found.file is not None and not found.new:
        alone = found.case.name.startswith(found.file.stem)  # what an earlier hunt wrote
        yield from () if alone else ("-k", found.case.name)


def _shown(file: Path | None) -> str:
    here = Path.cwd()
    return str(file.relative_to(here) if file is not None and file.is_relative_to(here) else file)


def _plain(line: str) -> str:
    """What a filter said may be anything; here it is a line of text."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line[:_MOST_WIDE])
    return f"{shown}…" if len(line) > _MOST_WIDE else shown


def counted(findings: int) -> str:
    """``no findings``, ``1 finding``."""
    return f"{findings or 'no'} finding{'s'[: findings != 1]}"


def _summary(report: "FuzzReport") -> str:
    words = [counted(len(report.found))]
    if report.more:
        words.append(f"{report.more} more not looked into")
    if report.unplayed:
        words.append(f"{report.unplayed} not on Envoy")
    callbacks, calls = (f"{len(part.used)}/{len(part.used) + len(part.unused)}" for part in report.used)
    return (
        f"{report.played} scenarios{' (stopped)' if report.stopped else ''}, seed {report.seed}: "
        f"{', '.join(words)} in {report.seconds:.2f} s; {callbacks} callbacks, {calls} host functions used"
    )


def fuzz_document(report: "FuzzReport") -> dict[str, Any]:
    """For scripts."""
    return {
        "filter": report.project.name,
        "seed": report.seed,
        "played": report.played,
        "stopped": report.stopped,
        "not_on_envoy": report.unplayed,
        "seconds": round(report.seconds, 3),
        "findings": [_found(found) for found in report.found],
        "more": report.more,
        "coverage": coverage_document(report.used),
    }


def _found(found: "Found") -> dict[str, Any]:
    return {
        "kind": str(found.finding.kind),
        "title": found.finding.title,
        "detail": list(found.finding.detail),
        "seen": found.seen,
        "new": found.new,
        "on": str(found.on),
        "file": None if found.file is None else str(found.file),
    }
