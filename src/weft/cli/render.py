"""``weft render``."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from weft.cli.console import Console
from weft.cli.options.intent import gathered, planned, planning_options, wish_options
from weft.errors import UsageError

if TYPE_CHECKING:
    from weft.mesh import Intent
    from weft.workflows.deploying.render import Rendered

__all__ = ["render"]


@click.command
@click.argument("image", required=False, metavar="[IMAGE]")
@click.option(
    "-f",
    "--file",
    "files",
    multiple=True,
    metavar="FILE|-",
    help="Filters to deploy, and objects of the cluster that matter: Deployments, Gateways, Secrets.",
)
@wish_options
@planning_options
@click.option("--schema", is_flag=True, help="Print the JSON Schema of a FilterDeployment instead.")
@click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(["yaml", "json", "intent"]),
    default="yaml",
    show_default=True,
    help="yaml: the objects, in order; json: the whole plans, with their steps and the way back; intent: what"
    " is asked, as FilterDeployments of weft.",
)
@click.pass_obj
def render(
    console: Console, /, image: str | None, files: tuple[str, ...], schema: bool, form: str, **words: Any
) -> None:
    """Print what a target would be told of a filter.

    Nothing is changed and nobody is asked: images are looked up in the store of this machine. Files may hold
    FilterDeployments of weft, wasme and ASM, WasmPlugins and TrafficExtensions.
    """
    if schema:
        from weft.mesh import intent_schema

        console.document(intent_schema(), "yaml" if form == "yaml" else "json")
        return
    if bool(image) == bool(files):
        raise UsageError("name either an image or files with -f")
    if form == "intent":
        _show_intents(console, files, image=image, **words)
        return
    plans = planned(console, files, image=image, **words)
    for one in plans:
        _talk(console, one.intent, one.notes)
    if form == "json":
        console.document([one.plan.document() for one in plans], form)
    else:
        console.data("\n".join(line for one in plans for line in _yaml(one)))


def _show_intents(
    console: Console,
    files: Sequence[str],
    *,
    istio_version: str,  # noqa: ARG001 - what plans need
    module: str | None,  # noqa: ARG001
    trust: bool,  # noqa: ARG001
    **words: Any,
) -> None:
    from weft.base.documents import as_yaml

    held = gathered(console, files, **words).intents
    for one in held:
        _talk(console, one.intent, one.notes)
    console.data("---\n".join(as_yaml(one.intent.document()) for one in held).rstrip("\n"))


def _talk(console: Console, intent: "Intent", notes: Sequence[str]) -> None:
    for note in notes:
        console.talk(f"note: {intent.metadata.name}: {note}")


# Steps that change nothing, and so are no document for kubectl.
_WAITING = frozenset({"settle"})


def _yaml(rendered: "Rendered") -> Iterator[str]:
    """Documents that `kubectl apply` takes in this order; all else is comment."""
    from weft.base.documents import as_yaml

    plan = rendered.plan
    yield f"# {plan.filter_id} on {plan.target}"
    for reason in plan.reasons:
        yield f"#   {reason}"
    for step in plan.steps:
        if step.file is not None:
            yield f"# {step.do} {step.file.path} ({step.file.image}): {step.why}"
        elif step.do in _WAITING:
            yield f"# {step.do} {step.subject}: {step.why}"
        else:
            yield "---"
            yield f"# {step.do}: {step.why}"
            yield as_yaml(step.object).rstrip("\n")
