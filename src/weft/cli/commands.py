"""Which commands exist and where each lives; none is imported before it is typed."""

import importlib
from collections.abc import Mapping
from typing import Any

import click

from weft.errors import WeftError

__all__ = ["GROUPS", "Commands"]

# group title -> command -> (module:attribute, what it does). The summary stands here so that
# `weft --help` imports no command; a test holds it equal to the command's own.
GROUPS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "Author a filter": {
        "init": ("weft.cli.init:init", "Make a new filter project that builds and works untouched."),
        "build": ("weft.cli.build:build", "Compile a filter and keep it as an image."),
        "inspect": ("weft.cli.inspect:inspect", "Show what a module is made of."),
        "check": ("weft.cli.check:check", "Say whether Envoy would load a module, and why not."),
        "symbolize": (
            "weft.cli.symbolize:symbolize",
            "Put functions, files and lines into a log's backtraces.",
        ),
        "test": ("weft.cli.test:test", "Run a filter's scenarios, without Envoy or on it."),
        "bench": ("weft.cli.bench:bench", "Measure what a filter costs."),
        "trace": ("weft.cli.trace:trace", "Make the calls between Envoy and filters in a log readable."),
        "run": ("weft.cli.run:run", "Run filters in a real Envoy in front of an upstream."),
        "demo": ("weft.cli.demo:demo", "From an empty folder to a header through a real Envoy."),
    },
    "Local images": {
        "list": (
            "weft.cli.list:list_images",
            "List the images of this machine, or the published ones of a repository.",
        ),
        "tag": ("weft.cli.tag:tag", "Give an image another name."),
        "rm": ("weft.cli.rm:rm", "Remove names of images."),
        "prune": ("weft.cli.prune:prune", "Delete content that no image uses."),
    },
    "Registries": {
        "login": ("weft.cli.login:login", "Log in to a registry."),
        "logout": ("weft.cli.logout:logout", "Forget the credential of a registry."),
        "push": ("weft.cli.push:push", "Publish an image of this machine, or files, to a registry."),
        "pull": (
            "weft.cli.pull:pull",
            "Fetch an image into the store of this machine, or its files into a folder.",
        ),
        "copy": ("weft.cli.copy:copy", "Copy an image between registries, files and the store."),
        "attach": ("weft.cli.attach:attach", "Attach files to a published image."),
        "discover": ("weft.cli.discover:discover", "Show what is attached to a published image."),
    },
    "Signatures": {
        "key": ("weft.cli.key:key", "Make and show keys that sign images."),
        "sign": ("weft.cli.sign:sign", "Sign an image in its registry."),
        "verify": ("weft.cli.verify:verify", "Check who signed an image."),
    },
    "Deploy": {
        "render": ("weft.cli.render:render", "Print what a target would be told of a filter."),
        "diff": ("weft.cli.diff:diff", "Show what a change of a filter's deployment would change."),
        "deploy": ("weft.cli.deploy:deploy", "Put a filter in front of traffic."),
        "status": ("weft.cli.status:status", "Show the filters of a cluster and how they stand."),
        "doctor": (
            "weft.cli.doctor:doctor",
            "Say what a cluster lacks to run filters, and what is wrong with those it runs.",
        ),
        "undeploy": (
            "weft.cli.undeploy:undeploy",
            "Take a filter away from traffic, and all that came with it.",
        ),
    },
    "Services": {
        "serve": ("weft.cli.serve:serve", "Run weft's services."),
        "install": (
            "weft.cli.install:install",
            "Put operator, node cache and custom resources into a cluster.",
        ),
        "uninstall": ("weft.cli.uninstall:uninstall", "Take out of a cluster what install put there."),
    },
    "Other": {
        "toolchain": ("weft.cli.toolchain:toolchain", "Show and fetch compilers and Envoy."),
        "completion": ("weft.cli.completion:completion", "Print shell completion."),
        "version": ("weft.cli.version:version", "Show the versions of weft and its parts."),
    },
}


class Commands(click.Group):
    """A click group that imports a command when it is asked for."""

    def __init__(
        self, *args: Any, groups: Mapping[str, Mapping[str, tuple[str, str]]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._groups = groups
        self._where = {name: entry for group in groups.values() for name, entry in group.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """All command names, in the order of the table."""
        return list(self._where)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's; of a name that is none it says which ones are near."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            raise click.exceptions.NoSuchCommand(
                error.command_name, possibilities=self._where, ctx=ctx
            ) from None

    def invoke(self, ctx: click.Context) -> Any:
        """As click's, which would take any pipe that broke for our output and leave without a word."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise WeftError(
                f"a connection or a program that weft spoke to went away: {error.strerror}"
            ) from error

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and give the command, or ``None``."""
        if cmd_name not in self._where:
            return None
        module, attribute = self._where[cmd_name][0].split(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101 - the table is ours
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the commands under their group titles."""
        for title, entries in self._groups.items():
            with formatter.section(title):
                formatter.write_dl([(name, summary) for name, (_, summary) in entries.items()])
