"""``weft deploy``."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from weft.cli.console import Console
from weft.cli.options.cluster import cluster_access, cluster_options
from weft.cli.options.durations import SECONDS
from weft.cli.options.intent import MODES, gathered, ignore_version_check, wish_options_of
from weft.cli.options.run import run_options
from weft.cli.options.trace import TracingCommand
from weft.cli.options.verify import policy_of, verify_options
from weft.cli.run import start
from weft.errors import UsageError

if TYPE_CHECKING:
    from weft.clusters import Prospect

__all__ = ["deploy"]

_Command = Callable[..., Any]
_WHAT: tuple[Callable[[_Command], _Command], ...] = (
    click.argument("image", required=False, metavar="[IMAGE]"),
    click.option("-f", "--file", "files", multiple=True, metavar="FILE|-", help="Filters to deploy."),
)
_HOW: tuple[Callable[[_Command], _Command], ...] = (
    cluster_options,
    verify_options,
    click.option("--skip-config-check", is_flag=True, help="Do not try the config on the filter first."),
    click.option("--share-pull-secret", is_flag=True,
                 help="Give node caches what the intent's pull secret holds for the image's repository."),
    click.option("--force-conflicts", is_flag=True, help="Take fields of objects that others own."),
    click.option("--timeout", "--cache-timeout", type=SECONDS, default=300.0, show_default=True,
                 help="For nodes to hold the module, and for pods to be replaced; each."),
    click.option("--dry-run", is_flag=True, help="Say what would be done; change nothing."),
    click.option("-o", "--output", "form", type=click.Choice(["text", "json"]), default="text",
                 show_default=True),
)  # fmt: skip


@click.group
def deploy() -> None:
    """Put a filter in front of traffic."""


@deploy.command(cls=TracingCommand)
@run_options
@click.pass_obj
def envoy(console: Console, /, **words: Any) -> None:
    """Run filters in an Envoy on this machine: another name of `weft run`."""
    start(console, **words)


def _refuse_cache(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    """Wasme's deploy brought its cache along, and overwrote the one that was there."""
    del ctx
    if value is not None:
        hint = "`weft install` brings node caches: --image, and --render for all else"
        raise UsageError(f"{param.opts[0]}: deploying changes no node cache", hint=hint)


def _of_caches(command: _Command) -> _Command:
    for name in ("name", "repo", "tag", "custom-command", "image-pull-policy"):
        option = click.option(
            f"--cache-{name}", hidden=True, expose_value=False, callback=_refuse_cache, metavar="WORD"
        )
        command = option(command)
    return command


def _to_cluster(target: str) -> Callable[[_Command], _Command]:
    """Give a command the arguments of deploying to ``target``."""

    def add(command: _Command) -> _Command:
        for option in reversed((*_WHAT, wish_options_of(target), *_HOW)):
            command = option(command)
        return click.pass_obj(command)

    return add


@deploy.command
@click.option("--istiod-name", default="", metavar="NAME", help="The control plane, where there are several.")
@click.option("--mode", type=click.Choice(MODES), help="How Istio is told.  [default: auto]")
@click.option("--istio-namespace", metavar="NAME", help="Of the control plane.  [default: istio-system]")
@click.option("--istio-version", default="", metavar="VERSION", help="Instead of what the cluster says.")
@ignore_version_check
@_of_caches
@_to_cluster("istio")
def istio(console: Console, /, mode: str | None, istio_namespace: str | None, **words: Any) -> None:
    """Deploy filters to workloads of an Istio mesh.

    The image's tag is resolved to a digest, which is checked, planned and deployed. When a step fails, all is
    undone and what ran before runs on. Mode auto takes the least disruptive way that can do what is asked.
    """
    fields = {"mode": mode, "namespace": istio_namespace}
    _deploy(console, "istio", {name: word for name, word in fields.items() if word}, words)


@deploy.command
@_to_cluster("gloo")
def gloo(console: Console, /, **words: Any) -> None:
    """Deploy filters to gateways of Gloo Edge.

    To all that speak HTTP, where nothing says to which. What else a gateway's list of filters holds stays.
    """
    _deploy(console, "gloo", {}, words)


@deploy.command("envoy-gateway")
@_to_cluster("envoy-gateway")
def envoy_gateway(console: Console, /, **words: Any) -> None:
    """Deploy filters to gateways and routes of Envoy Gateway."""
    _deploy(console, "envoy-gateway", {}, words)


def _deploy(console: Console, target: str, fields: dict[str, Any], words: dict[str, Any]) -> None:
    import asyncio

    from weft.workflows.deploying.cluster import Deployment
    from weft.workflows.deploying.cluster import deploy as deploy_all
    from weft.workflows.deploying.facts import Looker

    image, files = words.pop("image"), words.pop("files")
    if bool(image) == bool(files):
        raise UsageError("name either an image or files with -f")
    places, access, form = console.places, cluster_access(console, words), words.pop("form")
    home = access.cluster.namespace
    keys, policy = words.pop("verify_keys"), words.pop("verify_policy")
    how = Deployment(
        looker=Looker(
            store=places.store,
            cache=places.cache,
            module=words.pop("module"),
            istio_version=words.pop("istio_version", ""),
            check_abi=not words.pop("trust", False),
        ),
        policy=policy_of(keys, policy),
        istiod=words.pop("istiod_name", ""),
        check_config=not words.pop("skip_config_check"),
        seconds=words.pop("timeout"),
        force=words.pop("force_conflicts"),
        share_secret=words.pop("share_pull_secret"),
        dry_run=words.pop("dry_run"),
    )
    documents = gathered(console, files, image=image, target=target, fields=fields, home=home, **words)
    for asked in documents.intents:
        for note in asked.notes:
            console.talk(f"note: {asked.intent.metadata.name}: {note}")

    def show(prospect: "Prospect") -> None:
        _show(console, prospect, dry_run=how.dry_run)

    done = asyncio.run(deploy_all(access, documents, how, show=show, say=console.talk))
    if form == "json":
        console.document([_document(one) for one in done], form)
        return
    for one in done:
        would = "would be deployed" if how.dry_run else "deployed"
        console.talk(f"{one.after.filter_id} {would}: {one.after.image} on {one.plan.target}")


def _show(console: Console, prospect: "Prospect", *, dry_run: bool) -> None:
    console.talk(f"{prospect.after}: {prospect.plan.target}, {prospect.after.image}")
    for reason in prospect.plan.reasons:
        console.talk(f"  {reason}")
    for step in prospect.steps if dry_run else ():
        console.talk(f"  {step.do} {step.subject}: {step.why}")


def _document(prospect: "Prospect") -> dict[str, Any]:
    return {
        "name": prospect.intent.metadata.name,
        "namespace": prospect.intent.metadata.namespace,
        "image": prospect.after.image,
        **prospect.plan.document(),
    }
