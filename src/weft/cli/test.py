"""``weft test``."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from weft.cli.budgets import verdict_document, verdict_line
from weft.cli.console import Console
from weft.cli.trace_option import TracingCommand, trace_form, trace_option
from weft.errors import WeftError

if TYPE_CHECKING:
    from weft.testhost import Played, StepResult
    from weft.tracing import Form
    from weft.workflows.testing.test import Report

__all__ = ["test"]

_MOST_TRACE = 40


@click.command(cls=TracingCommand)
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), default=Path())
@click.option("-k", "--name", metavar="TEXT", default="", help="Only scenarios whose name contains TEXT.")
@click.option("--module", metavar="FILE", help="Test this module instead of building the project.")
@trace_option("plain", help="Show every call between host and filter.")
@click.option("--junit", metavar="FILE", type=click.Path(path_type=Path), help="Write a JUnit report too.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of scenarios, for editors, and stop.")
@click.option("-y", "--yes", is_flag=True, help="Fetch missing compilers without asking.")
@click.option(
    "-o", "--output", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.pass_obj
def test(
    console: Console,
    folder: Path,
    name: str,
    module: str | None,
    trace: str | None,
    junit: Path | None,
    schema: bool,
    yes: bool,
    form: str,
) -> None:
    """Run a filter's scenarios without Envoy.

    DIR (default: the current folder) is a filter project; its scenarios are the YAML files in tests/. The
    filter is built first when its source changed. Exit code 1 when a scenario does not go as it should.
    """
    from weft.workflows.testing.test import run_scenarios, scenario_schema

    if schema:
        console.document(scenario_schema(), "json")
        return

    def build(where: Path) -> bytes:
        return _build(console, where, yes=yes)

    report = run_scenarios(folder, places=console.places, build=build, module=module, name=name)
    if junit is not None:
        from weft.workflows.testing.junit import write_junit

        write_junit(report, junit)
    if form == "json":
        console.document(_document(report, trace=trace_form(trace)), form)
    else:
        for line in _report_lines(report, trace=trace_form(trace)):
            console.data(line)
    if report.failed:
        raise WeftError(f"{len(report.failed)} of {len(report.results)} scenarios failed")
    if report.exceeded:
        raise WeftError(f"{len(report.exceeded)} of {len(report.budgets)} budgets are exceeded")


def _build(console: Console, folder: Path, *, yes: bool) -> bytes:
    import asyncio

    from weft.cli.progress import progress
    from weft.toolchains import Toolbox
    from weft.workflows.authoring.build import build_project

    toolbox = Toolbox(console.places, console.env)
    with progress(console, yes=yes) as bar:
        built = asyncio.run(
            build_project(folder, toolbox=toolbox, on_line=bar.line, say=bar.say, allow=bar.allow)
        )
    return built.module


def _report_lines(report: "Report", *, trace: "Form") -> Iterator[str]:
    for result in report.results:
        yield f"{'ok  ' if result.passed else 'FAIL'}  {result.case.name}"
        if trace:
            yield from (f"        {line}" for line in _trace(result, trace))
        for step in result.steps:
            if step.mismatches:
                yield from _mismatch_lines(result, step, with_trace=not trace)
    yield from map(verdict_line, report.budgets)
    passed, failed = len(report.results) - len(report.failed), len(report.failed)
    left_out = f", {report.left_out} left out" if report.left_out else ""
    yield f"{passed} passed, {failed} failed{left_out} in {report.seconds:.2f} s"


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


def _document(report: "Report", *, trace: "Form") -> dict[str, Any]:
    return {
        "filter": report.project.name,
        "passed": len(report.results) - len(report.failed),
        "failed": len(report.failed),
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
        "passed": result.passed,
        "mismatches": mismatches,
    }
    return shown | ({"trace": _trace(result, trace)} if trace or mismatches else {})


def _trace(result: "Played", form: "Form") -> list[str]:
    if form != "decoded":
        return result.trace
    from weft.tracing import decoded_log

    return list(decoded_log(result.trace))
