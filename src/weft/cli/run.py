"""``weft run``."""

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from weft.cli.console import Console
from weft.cli.options.run import run_options
from weft.cli.options.trace import TracingCommand, trace_form
from weft.cli.options.verify import policy_of
from weft.cli.provision import builder, envoy_program
from weft.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from weft.envoy import Program
    from weft.signing import Policy
    from weft.workflows.running.loading import Admit
    from weft.workflows.running.order import Host, Order, Running

__all__ = ["run", "start"]


@click.command(cls=TracingCommand)
@run_options
@click.pass_obj
def run(console: Console, /, **words: Any) -> None:
    """Run filters in a real Envoy in front of an upstream.

    Several filters see a request in the order in which they are named. What they log is shown, once for every
    VM that Envoy starts: a trial, the main thread's and the worker's. Ctrl-C stops everything.
    """
    start(console, **words)


def start(
    console: Console,
    *,
    out: str | None,
    form: str,
    yes: bool,
    verify_keys: tuple[Path, ...],
    verify_policy: Path | None,
    **words: Any,
) -> None:
    """What ``weft run`` and ``weft deploy envoy`` do."""
    import asyncio

    from weft.base.tasks import run_until_told
    from weft.workflows.running.loading import Loader
    from weft.workflows.running.order import Tell
    from weft.workflows.running.run import render, serve

    order = _order(console, **words)
    policy = policy_of(verify_keys, verify_policy)
    loader = Loader(
        store=console.places.store,
        build=builder(console, yes=yes),
        admit=_admission(console, policy) if policy else None,
    )
    if out:
        bootstrap = asyncio.run(render(order, loader, cache=console.places.cache))
        _write(console, bootstrap, out, form)
        return
    tell = Tell(ready=_announcer(console, form), say=console.talk, trouble=console.explain)
    if run_until_told(serve(order, loader, _host(console, yes=yes, **words), tell)):
        console.talk("stopped")


def _admission(console: Console, policy: "Policy") -> "Admit":
    from weft.workflows.signatures.verify import stored_admission

    return stored_admission(console.places.store, policy, console.env)


def _order(
    console: Console,
    *,
    sources: tuple[str, ...],
    configs: tuple[str, ...],
    ids: tuple[str, ...],
    root_ids: tuple[str, ...],
    failure: str,
    bootstrap: str | None,
    upstream: str | None,
    clusters: tuple[str, ...],
    port: int | None,
    admin_port: int | None,
    watch: bool,
    **_: Any,
) -> "Order":
    from weft.mesh import Failure, Upstream
    from weft.workflows.running.bootstraps import read_bootstrap, trusted_ca
    from weft.workflows.running.chain import Wishes
    from weft.workflows.running.order import Order

    if (*configs, bootstrap).count("-") > 1:
        raise UsageError("standard input can be read once: only one of --config and --bootstrap may be -")
    if bootstrap and (upstream or clusters):
        raise UsageError("--upstream and --cluster are for weft's own bootstrap, not with --bootstrap")
    read = console.stdin.read
    return Order(
        sources=sources,
        wishes=Wishes(
            configs=tuple(read() if word == "-" else word for word in configs),
            ids=ids,
            root_ids=root_ids,
            failure=Failure(failure),
        ),
        bootstrap=read_bootstrap(bootstrap, read) if bootstrap else None,
        upstream=Upstream.parse(upstream) if upstream else None,
        clusters=dict(_cluster(word) for word in clusters),
        trusted_ca=trusted_ca(console.env) if "https:" in f"{upstream} {clusters}" else None,
        port=port,
        admin_port=admin_port,
        watch=watch,
    )


def _cluster(word: str) -> tuple[str, Any]:
    from weft.mesh import Upstream

    name, equals, url = word.partition("=")
    if not (name and equals):
        raise UsageError(f"--cluster {word}: it must read NAME=URL")
    return name, Upstream.parse(url)


def _host(console: Console, *, arguments: str, trace: str | None, yes: bool, **words: Any) -> "Host":
    from weft.envoy import Levels
    from weft.workflows.running.order import Host

    given = _split(arguments, "--envoy-run-args")
    quiet, loud = ("info", "debug") if console.verbose else ("warning", "info")
    return Host(
        program=_program(console, yes=yes, **words),
        env=console.env,
        arguments=given,
        levels=Levels(envoy=quiet, wasm="trace" if trace else loud),
        trace=trace_form(trace),
        show_everything=console.verbose or not {"-l", "--log-level"}.isdisjoint(given),
    )


def _program(
    console: Console, *, envoy: str | None, image: str | None, image_arguments: str, yes: bool, **_: Any
) -> "Program":
    import os

    from weft.envoy import Native, container

    if image is None:
        return Native(envoy_program(console, envoy, yes=yes))
    if envoy:
        raise UsageError("--envoy and --envoy-image exclude each other")
    given = _split(image_arguments, "--docker-run-args")
    return container(image, name=f"weft-{os.getpid()}", env=console.env, run_arguments=given)


def _split(words: str, option: str) -> list[str]:
    try:
        return shlex.split(words)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from error


def _announcer(console: Console, form: str) -> "Callable[[Running], None]":
    def announce(running: "Running") -> None:
        if form == "json":
            console.data(json.dumps({"url": running.url, "admin": running.admin, "pid": running.pid}))
        else:
            console.talk(f"answers at {running.url} (admin {running.admin}); Ctrl-C stops it")

    return announce


def _write(console: Console, bootstrap: Any, out: str, form: str) -> None:
    from weft.base.documents import as_yaml
    from weft.base.files import atomic_write

    as_json = form == "json" or out.endswith(".json")
    text = json.dumps(bootstrap, indent=2, ensure_ascii=False) if as_json else as_yaml(bootstrap).rstrip("\n")
    if out == "-":
        console.data(text)
        return
    try:
        atomic_write(Path(out), f"{text}\n".encode())
    except OSError as error:
        raise UsageError(f"--out {out}: {error.strerror}") from error
