"""The arguments by which commands are told of filters to deploy: files, or flags as wasme had them."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from weft.cli.console import Console
from weft.errors import UsageError

if TYPE_CHECKING:
    from weft.mesh import Intent
    from weft.workflows.deploying.documents import Documents
    from weft.workflows.deploying.render import Rendered

__all__ = [
    "MODES",
    "TARGETS",
    "gathered",
    "ignore_version_check",
    "planned",
    "planning_options",
    "wish_options",
    "wish_options_of",
]

_Command = Callable[..., Any]

TARGETS = ("istio", "gloo", "envoy-gateway", "envoy", "xds")
MODES = ("auto", "wasmplugin", "trafficextension", "envoyfilter", "configmap")

ignore_version_check = click.option(
    "--ignore-version-check",
    "trust",
    is_flag=True,
    help="Whatever the image says of the versions of Istio it is for.",
)
_FILTER = (
    click.option("--id", metavar="NAME", help="Name of the filter in proxies.  [default: the image's]"),
    click.option("--config", metavar="TEXT|@FILE", help="What the filter is told."),
    click.option("--root-id", metavar="NAME", help="Default: the first the image names."),
    click.option("--failure", type=click.Choice(["closed", "open", "reload"]),
                 help="When it crashes: 503, pass without it, or start it again.  [default: closed]"),
)  # fmt: skip
_GATEWAY = click.option(
    "--gateway", "gateways", multiple=True, metavar="NAME[/LISTENER]", help="A gateway; repeat for more."
)
_ROUTE = click.option(
    "--route", "routes", multiple=True, metavar="NAME[/RULE]", help="An HTTPRoute; repeat for more."
)
_KINDS = click.Choice(["deployment", "daemonset", "statefulset"], case_sensitive=False)
_CONTEXTS = click.Choice(["inbound", "outbound", "any", "gateway"], case_sensitive=False)
_PLACES = {
    "workloads": (
        click.option("-n", "--namespace", metavar="NAME",
                     help="Of the workloads.  [default: the context's]"),
        click.option("-l", "--labels", multiple=True, metavar="KEY=VALUE",
                     help="Only workloads with all of these."),
        click.option("-t", "--workload-type", type=_KINDS, help="Only workloads of this kind."),
        click.option("--patch-context", type=_CONTEXTS,
                     help="Which traffic of the workloads.  [default: inbound]"),
    ),
    "gloo": (
        click.option("-n", "--namespaces", multiple=True, metavar="NAME",
                     help="Of the gateways; repeat for more.  [default: all]"),
        click.option("-l", "--labels", multiple=True, metavar="KEY=VALUE",
                     help="Only gateways with all of these."),
        click.option("--gateway", "gateways", multiple=True, metavar="NAME",
                     help="Only this gateway; repeat for more."),
    ),
    "envoy-gateway": (
        click.option("-n", "--namespace", metavar="NAME",
                     help="Of gateways and routes.  [default: the context's]"),
        _GATEWAY,
        _ROUTE,
    ),
}  # fmt: skip
_PLANNING = (
    click.option("--target", type=click.Choice(TARGETS), help="Instead of the one the intent names."),
    click.option("--mode", type=click.Choice(MODES), help="How Istio is told."),
    click.option("--istio-version", default="", metavar="VERSION", help="Of the control plane, as 1.24."),
    ignore_version_check,
)  # fmt: skip
_OPTIONS = {"gateways": "gateway", "routes": "route"}
"""Names of parameters that are not those of their options."""
_MODULE = click.option(
    "--module", metavar="FILE.wasm", help="The image's module, where the image is not here."
)


def planning_options(command: _Command) -> _Command:
    """Give a command the options of planning for any target."""
    return _with(command, *_PLANNING, _MODULE)


def wish_options(command: _Command) -> _Command:
    """Give a command those that stand for a file, for any target."""
    return _with(command, *_FILTER, *_PLACES["workloads"], _GATEWAY, _ROUTE)


def wish_options_of(target: str) -> Callable[[_Command], _Command]:
    """Those that stand for a file, for ``istio``, ``gloo`` or ``envoy-gateway``."""
    place = _PLACES["workloads" if target == "istio" else target]
    return lambda command: _with(command, *_FILTER, *place, _MODULE)


def _with(command: _Command, *options: Callable[[_Command], _Command]) -> _Command:
    for option in reversed(options):
        command = option(command)
    return command


def gathered(
    console: Console,
    files: Sequence[str],
    *,
    image: str | None = None,
    target: str | None,
    mode: str | None = None,
    fields: dict[str, Any] | None = None,
    home: str = "default",
    **wishes: Any,
) -> "Documents":
    """What the files and flags ask for; ``fields`` are of Istio's target.

    ``home`` is the namespace of what says none.
    """
    from weft.workflows.deploying.render import gather, retarget

    if mode and target not in {None, "istio"}:
        raise UsageError(f"--mode is for Istio, not for {target}")
    told = {**(fields or {}), **({"mode": mode} if mode else {})}
    change = retarget(target or "istio", told) if target or told else None
    given = {name: word for name, word in wishes.items() if word not in (None, ())}
    if given and not image:
        words = ", ".join(f"--{_OPTIONS.get(name, name).replace('_', '-')}" for name in given)
        raise UsageError(f"{words}: for an image on the command line; a file says it itself")
    more = [_wished(image, {"namespace": home, "target": target or "istio", **given})] if image else []
    return gather(files, console.stdin.read, more=more, change=change, home=home)


def planned(
    console: Console,
    files: Sequence[str],
    *,
    istio_version: str,
    trust: bool,
    module: str | None,
    **words: Any,
) -> "list[Rendered]":
    """The plans of what the files and flags ask for."""
    from weft.workflows.deploying.facts import Looker
    from weft.workflows.deploying.render import render

    places = console.places
    looker = Looker(
        store=places.store,
        cache=places.cache,
        module=module,
        istio_version=istio_version,
        check_abi=not trust,
    )
    return render(gathered(console, files, **words), looker)


def _wished(image: str, wishes: dict[str, Any]) -> "Intent":
    from weft.workflows.deploying.wishes import Wish, intent_of
    from weft.workflows.running.configs import read_config

    if "config" in wishes:
        wishes = {**wishes, "config": read_config(wishes["config"])}
    return intent_of(Wish(image=image, **wishes))
