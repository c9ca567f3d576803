"""How ``weft test`` shows what came of the scenarios."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from weft.cli.output.budgets import verdict_document, verdict_line

if TYPE_CHECKING:
    from weft.scenario import LeftOut, Played, StepResult
    from weft.tracing import Form
    from weft.workflows.testing.coverage import Coverage
    from weft.workflows.testing.test import Report

__all__ = ["coverage_document", "coverage_lines", "report_document", "report_lines"]

_MOST_TRACE = 40


def report_lines(report: "Report", *, trace: "Form") -> Iterator[str]:
    """For people: a line for each scenario, and all that is to be said of those that failed."""
    for result in report.results:
        yield f"{_verdict(result):4}  {result.case.name}{' (envoy)' if result.on == 'envoy' else ''}"
        if trace:
            yield from (f"        {line}" for line in _trace(result, trace))
        for step in result.steps:
            for left in step.left_out:
                yield f"      not on Envoy: {_left_out(result, step, left)}: {left.reason}"
            if step.mismatches:
                yield from _mismatch_lines(result, step, with_trace=not trace)
    yield from map(verdict_line, report.budgets)
    yield _summary(report)


def _verdict(result: "Played") -> str:
    if not result.passed:
        return "FAIL"
    return "-" if result.unplayed else "ok"


def _summary(report: "Report") -> str:
    failed, unplayed = len(report.failed), sum(result.unplayed for result in report.results)
    passed = len(report.results) - failed - unplayed
    words = [f"{passed} passed", f"{failed} failed"]
    if unplayed:
        words.append(f"{unplayed} not on Envoy")
    if report.left_out:
        words.append(f"{report.left_out} left out")
    return f"{', '.join(words)} in {report.seconds:.2f} s"


def _left_out(result: "Played", step: "StepResult", left: "LeftOut") -> str:
    return f"{_place(result, step.number)}, {left.what}" if step.number else left.what


def _mismatch_lines(result: "Played", step: "StepResult", *, with_trace: bool) -> Iterator[str]:
    yield f"      {result.case.where}, {_place(result, step.number)}"
    for found in step.mismatches:
        yield f"        {found.what}"
        yield from _side("expected", found.expected)
        yield from _side("got     ", found.got)
    if with_trace and step.trace:
        yield "        what happened"
        yield from (f"          {line}" for line in step.trace[-_MOST_TRACE:])


def _side(title: str, text: str) -> Iterator[str]:
    first, *rest = text.splitlines() or [""]
    yield f"          {title}  {first}"
    yield from (f"                    {line}" for line in rest)


def _place(result: "Played", number: int) -> str:
    if number == 0:
        return "when the filter starts"
    return "at the end" if number > len(result.case.steps) else f"step {number}"


def report_document(report: "Report", *, trace: "Form") -> dict[str, Any]:
    """For scripts."""
    unplayed = sum(result.unplayed for result in report.results)
    return {
        "filter": report.project.name,
        "passed": len(report.results) - len(report.failed) - unplayed,
        "failed": len(report.failed),
        "not_on_envoy": unplayed,
        "seconds": round(report.seconds, 3),
        "budgets": [verdict_document(verdict) for verdict in report.budgets],
        "scenarios": [_scenario(result, trace=trace) for result in report.results],
    }


def _scenario(result: "Played", *, trace: "Form") -> dict[str, Any]:
    mismatches = [
        {"step": step.number, "what": found.what, "expected": found.expected, "got": found.got}
        for step in result.steps
        for found in step.mismatches
    ]
    shown: dict[str, Any] = {
        "name": result.case.name,
        "file": result.case.where,
        "on": result.on,
        "passed": result.passed and not result.unplayed,
        "mismatches": mismatches,
    }
    if result.left_out:
        shown["not_on_envoy"] = [
            {"step": step.number, "what": left.what, "reason": left.reason}
            for step in result.steps
            for left in step.left_out
        ]
    return shown | ({"trace": _trace(result, trace)} if trace or mismatches else {})


def _trace(result: "Played", form: "Form") -> list[str]:
    if form != "decoded":
        return result.trace
    from weft.tracing import decoded_log

    return list(decoded_log(result.trace))


def coverage_lines(found: "tuple[Coverage, Coverage]") -> Iterator[str]:
    """For people: how many of each kind were used, and which were not."""
    for title, part in zip(("callbacks", "host functions"), found, strict=True):
        yield f"{title}: {len(part.used)} of {len(part.used) + len(part.unused)} used"
        yield from (f"      not used: {name}" for name in part.unused)


def coverage_document(found: "tuple[Coverage, Coverage]") -> dict[str, Any]:
    """For scripts."""
    return {
        title: {"used": list(part.used), "unused": list(part.unused)}
        for title, part in zip(("callbacks", "host_functions"), found, strict=True)
    }
