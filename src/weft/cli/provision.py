"""What commands that run filters have in common: projects are built, and Envoy is found or fetched."""

from pathlib import Path
from typing import TYPE_CHECKING

from weft.cli.console import Console
from weft.cli.output.progress import progress
from weft.errors import UsageError

if TYPE_CHECKING:
    from weft.workflows.authoring.build import Built
    from weft.workflows.authoring.modules import LoadedModule
    from weft.workflows.running.loading import Build, Loaded

__all__ = ["builder", "envoy_here", "envoy_program", "module_named"]


def builder(console: Console, *, yes: bool) -> "Build":
    """Builds projects with progress; a missing compiler is fetched when ``yes`` or the user says so."""
    rebuild: Build | None = None

    async def build(folder: Path) -> "Loaded":
        nonlocal rebuild
        if rebuild is None:  # only now: a module that is built already waits for none of this
            rebuild = _rebuilder(console, yes=yes)
        return await rebuild(folder)

    return build


def _rebuilder(console: Console, *, yes: bool) -> "Build":
    from weft.toolchains import Toolbox
    from weft.workflows.authoring.build import build_project
    from weft.workflows.running.rebuild import Rebuilder

    toolbox = Toolbox(console.places, console.env)

    async def build(folder: Path) -> "Built":
        with progress(console, yes=yes) as bar:
            return await build_project(
                folder, toolbox=toolbox, on_line=bar.line, say=bar.say, allow=bar.allow
            )

    return Rebuilder(build)


def module_named(console: Console, what: str) -> "LoadedModule":
    """The module of a file, of an image, or of the project in a folder, which is built.

    Raises what reading and building raise.
    """
    from weft.wasm import read_module
    from weft.workflows.authoring.modules import LoadedModule, load_module

    path = Path(what)
    if not what:
        raise UsageError("no folder, file or image is named")
    if not path.is_dir() and (path.exists() or path.suffix == ".wasm"):
        return load_module(what)  # without waiting for what builds and images need

    import asyncio

    from weft.scenario import config_bytes
    from weft.workflows.running.loading import Loader

    loader = Loader(store=console.places.store, build=builder(console, yes=False))
    loaded = asyncio.run(loader.load(what))
    config = "" if loaded.config is None else config_bytes(loaded.config).decode()
    return LoadedModule(what, loaded.module, read_module(loaded.module, what=what), loaded.root_id, config)


def envoy_here(console: Console, wanted: str | None) -> Path | None:
    """The Envoy that ``--envoy`` or ``WEFT_ENVOY`` names, else one of this machine, if it has one."""
    from weft.toolchains import Toolbox

    toolbox = Toolbox(console.places, console.env)
    if named := wanted or console.env.get("WEFT_ENVOY"):
        return toolbox.named("envoy", named, by="--envoy" if wanted else "WEFT_ENVOY")
    found = toolbox.find("envoy")
    return found.path if found else None


def envoy_program(console: Console, wanted: str | None, *, yes: bool) -> Path:
    """The Envoy of this machine; where there is none, one that is fetched if that may be."""
    import asyncio

    from weft.toolchains import Toolbox
    from weft.workflows.authoring.parts import provide

    if found := envoy_here(console, wanted):
        return found
    with progress(console, yes=yes) as bar:
        toolbox = Toolbox(console.places, console.env)
        return asyncio.run(provide(toolbox, ["envoy"], allow=bar.allow, say=bar.say))["envoy"]
