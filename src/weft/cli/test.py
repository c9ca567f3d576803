"""``weft test``."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from weft.cli.console import Console
from weft.cli.options.trace import TracingCommand, trace_form, trace_option
from weft.errors import UsageError, WeftError

if TYPE_CHECKING:
    from weft.envoy import Program
    from weft.tracing import Form
    from weft.workflows.testing.test import Report, Wishes

__all__ = ["test"]

_WHERE = (
    click.argument("folder", metavar="[DIR|FILE]", type=click.Path(path_type=Path), default=Path()),
    click.option("--on", type=click.Choice(["host", "envoy", "both"]), default="host", show_default=True,
                 help="Play scenarios in this process, on a real Envoy, or on both and compare."),
    click.option("--envoy", metavar="PATH|VERSION",
                 help="The Envoy to run. Default: the first that is found."),
    click.option("-j", "--jobs", metavar="N", type=click.IntRange(1),
                 help="Processors to use when there are many scenarios. Default: all."),
)  # fmt: skip
_WHICH = (
    click.option("-k", "--name", metavar="TEXT", default="", help="Only scenarios whose name contains TEXT."),
    click.option("--module", metavar="FILE", help="Test this module instead of building the project."),
    click.option("--watch", is_flag=True, help="Run again whenever a file of the project changes."),
    click.option("-y", "--yes", is_flag=True, help="Fetch a missing compiler or Envoy without asking."),
)
_FUZZED = (
    click.option("--fuzz", metavar="N", type=click.IntRange(1),
                 help="Play N generated scenarios; write the smallest for each finding to tests/."),
    click.option("--seed", metavar="S", type=click.IntRange(0),
                 help="Generate the same scenarios as another time. Default: others each time."),
)  # fmt: skip
_SHOWN = (
    trace_option("plain", help="Show every call between host and filter."),
    click.option("--coverage", is_flag=True,
                 help="Say which callbacks and host functions of the module were used."),
    click.option("--junit", metavar="FILE", type=click.Path(path_type=Path),
                 help="Write a JUnit report too."),
    click.option("--schema", is_flag=True,
                 help="Print the JSON Schema of scenarios, for editors, and stop."),
    click.option("-o", "--output", "form", type=click.Choice(["text", "json"]), default="text",
                 show_default=True),
)  # fmt: skip


def _options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed((*_WHERE, *_WHICH, *_FUZZED, *_SHOWN)):
        command = option(command)
    return command


@click.command(cls=TracingCommand)
@_options
@click.pass_obj
def test(
    console: Console,
    /,
    *,
    folder: Path,
    watch: bool,
    schema: bool,
    fuzz: int | None,
    seed: int | None,
    **words: Any,
) -> None:
    """Run a filter's scenarios, without Envoy or on it.

    DIR (default: the current folder) is a filter project; its scenarios are the files in tests/: YAML, or
    test suites of Google's Service Extensions. FILE is one of them, wherever it is. The filter is built first
    when its source changed. What Envoy cannot do or show is said and not judged. Exit code 1 when a scenario
    does not go as it should, 2 when one is wrong, 3 without an Envoy for --on.
    """
    from weft.workflows.testing.test import scenario_schema

    if seed is not None and fuzz is None:
        raise UsageError("--seed is for --fuzz")
    if schema:
        console.document(scenario_schema(), "json")
    elif fuzz is not None:
        _fuzz(console, folder, fuzz, seed, watch=watch, **words)
    elif watch:
        _watch(console, folder, words)
    else:
        _run(console, folder, **words)


def _run(
    console: Console,
    folder: Path,
    *,
    trace: str | None,
    coverage: bool,
    junit: Path | None,
    form: str,
    **words: Any,
) -> None:
    from weft.workflows.testing.test import run_scenarios

    yes = bool(words["yes"])
    report = run_scenarios(
        folder,
        places=console.places,
        build=lambda where: _build(console, where, yes=yes),
        wishes=_wishes(console, **words),
    )
    if junit is not None:
        from weft.workflows.testing.junit import write_junit

        write_junit(report, junit)
    _show(console, report, trace=trace_form(trace), with_coverage=coverage, form=form)
    if report.failed:
        raise WeftError(f"{len(report.failed)} of {len(report.results)} scenarios failed")
    if report.exceeded:
        raise WeftError(f"{len(report.exceeded)} of {len(report.budgets)} budgets are exceeded")


def _fuzz(
    console: Console,
    folder: Path,
    count: int,
    seed: int | None,
    *,
    watch: bool,
    trace: str | None,
    coverage: bool,
    junit: Path | None,
    form: str,
    **words: Any,
) -> None:
    from random import SystemRandom

    from weft.cli.output.fuzzing import counted, fuzz_document, fuzz_lines
    from weft.workflows.testing.fuzz import fuzz

    for option, given in (("--watch", watch), ("--trace", trace), ("--junit", junit)):
        if given:
            raise UsageError(f"--fuzz does not go with {option}")
    report = fuzz(
        folder,
        count=count,
        seed=SystemRandom().randrange(2**32) if seed is None else seed,
        places=console.places,
        build=lambda where: _build(console, where, yes=bool(words["yes"])),
        wishes=_wishes(console, **words),
        say=console.talk,
    )
    if form == "json":
        console.document(fuzz_document(report), form)
    else:
        for line in fuzz_lines(report, module=words["module"], envoy=words["envoy"], with_coverage=coverage):
            console.data(line)
    if report.found:
        raise WeftError(counted(len(report.found)))
    if report.stopped:
        raise click.Abort


def _wishes(
    console: Console,
    *,
    module: str | None,
    name: str,
    on: str,
    jobs: int | None,
    envoy: str | None,
    yes: bool,
) -> "Wishes":
    import os

    from weft.workflows.testing.test import On, Wishes

    if envoy and on == On.HOST:
        raise UsageError("--envoy is for --on envoy or --on both")

    def program() -> "Program":
        from weft.cli.provision import envoy_program
        from weft.envoy import Native

        return Native(envoy_program(console, envoy, yes=yes))

    processors = jobs or len(os.sched_getaffinity(0))
    return Wishes(module, name, On(on), processors, program, console.env)


def _show(console: Console, report: "Report", *, trace: "Form", with_coverage: bool, form: str) -> None:
    from weft.cli.output.scenarios import coverage_document, coverage_lines, report_document, report_lines

    found = None
    if with_coverage:
        from weft.workflows.testing.coverage import coverage

        found = coverage(report.module, report.results)
    if form == "json":
        document = report_document(report, trace=trace)
        console.document(document | ({"coverage": coverage_document(found)} if found else {}), form)
        return
    for line in report_lines(report, trace=trace):
        console.data(line)
    for line in coverage_lines(found) if found else ():
        console.data(line)


def _watch(console: Console, folder: Path, words: dict[str, Any]) -> None:
    from weft.base.tasks import run_until_told
    from weft.workflows.testing.watch import run_again

    def run() -> None:
        try:
            _run(console, folder, **words)
        except WeftError as error:
            console.explain(error)
        console.talk("waiting for changes; Ctrl-C stops")

    watched = [folder if folder.is_dir() else folder.parent]
    watched += [Path(words["module"])] if words["module"] else []
    junit: Path | None = words["junit"]
    run_until_told(run_again(watched, run, written=junit and junit.resolve()))


def _build(console: Console, folder: Path, *, yes: bool) -> bytes:
    import asyncio

    from weft.cli.output.progress import progress
    from weft.toolchains import Toolbox
    from weft.workflows.authoring.build import build_project

    toolbox = Toolbox(console.places, console.env)
    with progress(console, yes=yes) as bar:
        built = asyncio.run(
            build_project(folder, toolbox=toolbox, on_line=bar.line, say=bar.say, allow=bar.allow)
        )
    return built.module
