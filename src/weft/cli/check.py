"""``weft check``."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from weft.cli.console import Console
from weft.cli.options.registry import access_of, trust_options
from weft.cli.provision import envoy_here, module_named
from weft.errors import FilterRefused

if TYPE_CHECKING:
    from weft.envoy import Verdict
    from weft.wasm import Problem
    from weft.workflows.authoring.check import Checked
    from weft.workflows.authoring.modules import LoadedModule

__all__ = ["check"]

_MARKS = {"refused": "FAIL", "crashes": "FAIL", "warning": "warn"}
_OUTCOMES = {
    "loaded": ("ok", "loads it"),
    "start-refused": ("warn", "loads it, but the filter does not start without a configuration"),
    "config-refused": ("warn", "loads it; the filter does not accept {config}"),
    "refused": ("FAIL", "refuses it"),
    "crashed": ("FAIL", "crashes on it"),
}


@click.command
@click.argument("what", metavar="DIR|FILE|REF")
@click.option(
    "-o", "output", type=click.Choice(["table", "json"]), default="table", help="How to show the outcome."
)
@click.option("--envoy", metavar="PATH|VERSION", help="The Envoy to ask. Default: the first that is found.")
@click.option("--offline", is_flag=True, help="Judge by weft's own rules only; start no Envoy.")
@click.option("--consumers", is_flag=True, help="Say instead who takes the image REF as it is packed.")
@trust_options
@click.pass_obj
def check(
    console: Console,
    /,
    what: str,
    output: str,
    envoy: str | None,
    offline: bool,
    consumers: bool,
    **access: Any,
) -> None:
    """Say whether Envoy would load a module, and why not.

    First by weft's own rules, then by Envoy itself where there is one. The project in DIR is built first.
    Exit code 6 when it would not.
    """
    from weft.workflows.authoring.check import check_offline

    if consumers:
        _ask_consumers(console, what, output, access)
        return
    loaded = module_named(console, what)
    checked = check_offline(loaded) if offline else _ask(console, loaded, envoy)
    if output == "json":
        console.document(checked.document(), output)
    else:
        for line in _lines(checked, offline=offline):
            console.data(line)
    if not checked.loads:
        raise FilterRefused(f"Envoy would not run {what}")


def _ask_consumers(console: Console, what: str, output: str, access: dict[str, Any]) -> None:
    import asyncio

    from weft.oci import Reference
    from weft.store import Store
    from weft.workflows.images.consumers import Consumers, consumers_of
    from weft.workflows.images.registries import open_registries

    reference = Reference.parse(what)

    async def run() -> Consumers:
        async with open_registries(console.env, [reference.registry], access_of(access)) as registries:
            return await consumers_of(Store(console.places.store), registries, reference)

    found = asyncio.run(run())
    if output == "json":
        console.document(found.document(), output)
        return
    console.talk(f"{found.digest} in {found.place}")
    for answer in found.answers:
        console.data(f"{'ok' if answer.accepts else 'FAIL':<5} {answer.consumer:<14} {answer.versions}")
        for line in (answer.error or answer.remark).splitlines():
            console.data(f"{'':<6}{line.strip()}" if line.strip() else "")


def _ask(console: Console, loaded: "LoadedModule", envoy: str | None) -> "Checked":
    import asyncio

    from weft.envoy import Verdict, validate
    from weft.workflows.authoring.check import check_offline, check_with

    program = envoy_here(console, envoy)
    if program is None:
        return check_offline(loaded)

    async def confirm(loaded: "LoadedModule") -> Verdict:
        told = {"root_id": loaded.root_id, "config": loaded.config}
        return await validate(program, loaded.data, env=console.env, **told)

    return asyncio.run(check_with(confirm, loaded))


def _lines(checked: "Checked", *, offline: bool) -> Iterator[str]:
    from weft.wasm import RULES

    for rule in RULES:
        found = [problem for problem in checked.problems if problem.rule == rule.name]
        if not found:
            yield _line("ok", rule.name, rule.promise)
        for problem in found:
            yield from _problem_lines(problem)
    if checked.verdict:
        yield from _verdict_lines(checked.verdict, checked.loaded.config)
    elif not offline:
        yield _line("-", "envoy", "not asked, there is none here (weft toolchain install envoy)")


def _problem_lines(problem: "Problem") -> Iterator[str]:
    yield _line(_MARKS[problem.effect], problem.rule, problem.message)
    if problem.envoy:
        yield _line("", "", f"Envoy says: {problem.envoy}")
    if problem.hint:
        yield _line("", "", problem.hint)


def _verdict_lines(verdict: "Verdict", config: str) -> Iterator[str]:
    mark, text = _OUTCOMES[verdict.outcome]
    text = text.format(
        config="the default configuration of its project" if config else "an empty configuration"
    )
    yield _line(mark, "envoy", f"Envoy {verdict.envoy} {text}")
    for words in verdict.words:
        for line in words.splitlines():
            yield _line("", "", line)


def _line(mark: str, rule: str, text: str) -> str:
    return f"{mark:<5} {rule:<10} {text}"
