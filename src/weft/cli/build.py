"""``weft build``."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from weft.cli.console import Console
from weft.cli.output.progress import progress
from weft.errors import UsageError

if TYPE_CHECKING:
    from weft.workflows.authoring.make_image import Made, Order

__all__ = ["build"]

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)

# wasme's flags that only its builder images understand, and the variable each becomes there.
_FOR_BUILDERS = {
    ("-b", "--build-dir"): "BUILD_BASE",
    ("-f", "--bazel-output"): "BAZEL_OUTPUT",
    ("-g", "--bazel-target"): "TARGET",
    ("-u", "--username"): "NPM_USERNAME",
    ("-p", "--password"): "NPM_PASSWORD",
    ("-e", "--email"): "NPM_EMAIL",
    ("-i", "--image"): None,
}

_Command = Callable[..., None]


def _parameter(option: str) -> str:
    return f"wasme_{option[2:].replace('-', '_')}"


def _builders_flags(command: _Command) -> _Command:
    for short, option in _FOR_BUILDERS:
        command = click.option(short, option, _parameter(option), hidden=True)(command)
    return command


@click.command
@click.argument("words", nargs=-1, metavar="[LANGUAGE] [DIR]")
@click.option("-t", "--tag", metavar="REF", help="Name of the image. Default: the project's name, :latest.")
@click.option("--out", type=_FILE, metavar="FILE", help="Write the module here; without -t keep no image.")
@click.option(
    "-c", "--config", type=_FILE, metavar="FILE", help="A runtime-config.json to use for the image."
)
@click.option(
    "--flavor",
    type=click.Choice(["solo", "compat", "cncf"]),
    default="solo",
    show_default=True,
    help="Layout of the image.",
)
@click.option("-y", "--yes", is_flag=True, help="Fetch missing compilers without asking.")
@click.option("--builder-image", metavar="IMAGE", help="Build in this image, with docker or podman.")
@click.option("--store", type=_FOLDER, metavar="DIR", help="Keep the image in this store.")
@click.option(
    "--tmp-dir",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="DIR",
    help="Put intermediate files here.",
)
@click.option(
    "-o", "--output", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@_builders_flags
@click.pass_obj
def build(
    console: Console,
    /,
    words: tuple[str, ...],
    tag: str | None,
    out: Path | None,
    config: Path | None,
    flavor: str,
    yes: bool,
    builder_image: str | None,
    store: Path | None,
    tmp_dir: Path | None,
    form: str,
    **builders: str | None,
) -> None:
    """Compile a filter and keep it as an image.

    DIR (default: the current folder) holds a weft.toml, or the runtime-config.json of a wasme project. It is
    only read. `weft build precompiled FILE` takes a module that is built already.
    """
    import asyncio

    from weft.toolchains import Toolbox
    from weft.workflows.authoring.make_image import Order, make_image

    path, language, precompiled = _what(words)
    order = Order(
        path=path,
        language=language,
        precompiled=precompiled,
        tag=tag,
        out=out,
        config=config,
        flavor=flavor,
        store=store or console.places.store,
        builder_image=builder_image,
        builder_settings=_settings(console, builders, used=builder_image is not None),
        scratch=tmp_dir,
    )
    toolbox = Toolbox(console.places, console.env)
    with progress(console, yes=yes) as bar:
        made = asyncio.run(make_image(order, toolbox=toolbox, on_line=bar.line, say=bar.say, allow=bar.allow))
    _show(console, made, order, form)


def _what(words: tuple[str, ...]) -> tuple[Path, str | None, bool]:
    """Path, language and whether it is a module: a first word that is a language is never a folder."""
    from weft.workflows.authoring.sources import language_named

    first, *rest = words or (".",)
    if len(rest) > 1:
        raise UsageError(f"one folder is built at a time, not {len(rest)}: {' '.join(rest)}")
    if first == "precompiled":
        if not rest:
            raise UsageError("say which module", hint="weft build precompiled FILE -t REF")
        return Path(rest[0]), None, True
    language = language_named(first)
    if language is None and rest:
        raise UsageError(f"{first!r} is no language", hint="assemblyscript, cpp, go or rust; or precompiled")
    return Path(rest[0] if rest else "." if language else first), language, False


def _settings(console: Console, given: dict[str, str | None], *, used: bool) -> dict[str, str]:
    """What wasme's flags tell a builder image; without one, a word on each that it does nothing."""
    settings: dict[str, str] = {}
    for (short, option), variable in _FOR_BUILDERS.items():
        value = given[_parameter(option)]
        if value is None:
            continue
        if used and variable:
            settings[variable] = value
        else:
            console.talk(f"note: {short}/{option} is wasme's; weft needs no such setting")
    return settings


def _show(console: Console, made: "Made", order: "Order", form: str) -> None:
    if form == "json":
        document = {
            "reference": str(made.reference) if made.reference else None,
            "digest": str(made.digest) if made.digest else None,
            "module": {"digest": str(made.module), "size": made.size},
            "flavor": order.flavor if made.reference else None,
            "seconds": round(made.seconds, 3),
        }
        console.data(json.dumps(document))
        return
    if order.out:
        console.talk(f"wrote module   digest={made.module} size={made.size} file={order.out}")
    if made.reference:
        console.talk(f"tagged image   digest={made.digest} image={made.reference}")
