"""The report that continuous integration reads.

https://github.com/testmoapp/junitxml describes the format as it is used.
"""

from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, tostring

from weft.base.files import atomic_write, os_errors_as
from weft.scenario import Played
from weft.workflows.testing.test import Report

__all__ = ["junit", "write_junit"]


def write_junit(report: Report, path: Path) -> None:
    """Write ``junit(report)`` to a file, whole or not at all."""
    with os_errors_as(f"cannot write {path}"):
        atomic_write(path, junit(report))


def junit(report: Report) -> bytes:
    """One suite with a case for each scenario."""
    suite = Element(
        "testsuite",
        name=report.project.name,
        tests=str(len(report.results) + len(report.budgets)),
        failures=str(len(report.failed) + len(report.exceeded)),
        skipped=str(sum(result.unplayed for result in report.results)),
        time=f"{report.seconds:.3f}",
    )
    for verdict in report.budgets:
        case = SubElement(suite, "testcase", classname="weft.toml", name=f"budget {verdict.limit.name}")
        if not verdict.kept:
            SubElement(case, "failure", message=f"{verdict.shown} of {verdict.limit.text}")
    for result in report.results:
        name = result.case.name + (" (envoy)" if result.on == "envoy" else "")
        case = SubElement(suite, "testcase", classname=result.case.where, name=name)
        if result.unplayed:
            left = result.left_out[0]
            SubElement(case, "skipped", message=_clean(f"not on Envoy: {left.what}: {left.reason}"))
        if not result.passed:
            failure = SubElement(case, "failure", message=_first(result))
            failure.text = _clean("\n".join(_lines(result)))
    root = Element("testsuites")
    root.append(suite)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root) + b"\n"


def _first(result: Played) -> str:
    mismatch = next(found for step in result.steps for found in step.mismatches)
    return _clean(f"{mismatch.what}: expected {mismatch.expected}, got {mismatch.got}")


def _lines(result: Played) -> list[str]:
    found = [
        f"step {step.number}: {one.what}: expected {one.expected}, got {one.got}"
        for step in result.steps
        for one in step.mismatches
    ]
    return [*found, "", *result.trace]


def _clean(text: str) -> str:
    """``text`` without what XML cannot hold."""
    return "".join(char if char in "\t\n" or " " <= char < "\ud800" else "?" for char in text)
