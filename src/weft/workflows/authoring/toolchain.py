"""Show the tools of this machine and fetch those that are missing."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass

from weft.errors import WeftError
from weft.toolchains import LANGUAGES, TOOLS, Found, Toolbox
from weft.workflows.authoring.build import build_project
from weft.workflows.authoring.init import create_project
from weft.workflows.authoring.parts import Say

__all__ = ["ToolRow", "fetchable", "install_tools", "list_tools"]


@dataclass(frozen=True, slots=True)
class ToolRow:
    """One tool on one machine, as ``weft toolchain list -o json`` prints it."""

    tool: str
    needed_for: str
    state: str
    """``ready`` or ``missing``."""
    version: str | None
    """Of the one found, else of the one that would be fetched."""
    origin: str | None
    """``PATH``, ``python``, ``weft``, or nothing."""
    where: str
    """Its program; for a missing tool, what to do."""
    megabytes: int | None
    """On disk, of what weft fetched or would fetch."""


def list_tools(toolbox: Toolbox) -> list[ToolRow]:
    """A row for each tool."""
    return [_row(toolbox, name) for name in TOOLS]


def _row(toolbox: Toolbox, name: str) -> ToolRow:
    tool = TOOLS[name]
    outcome = toolbox.look(name)
    package = tool.package
    if isinstance(outcome, Found):
        size = package.megabytes if package and outcome.origin == "weft" else None
        return ToolRow(
            name, tool.needed_for, "ready", outcome.version, outcome.origin, str(outcome.path), size
        )
    remedy = "; ".join([*outcome.refused, outcome.remedy])
    version, size = (package.version, package.megabytes) if package else (None, None)
    return ToolRow(name, tool.needed_for, "missing", version, None, remedy, size)


def fetchable(toolbox: Toolbox) -> list[str]:
    """Names of the tools that are missing and can be fetched."""
    return [one.tool.name for one in toolbox.missing(TOOLS) if one.tool.package]


async def install_tools(toolbox: Toolbox, names: Sequence[str], say: Say) -> list[Found]:
    """Fetch the named tools that are not here, and let each do what takes long on first use.

    One that fails does not keep the others away. Raises ``NotFound`` for a name that is no tool, before
    anything is fetched, and in the end what ``Toolbox.install`` or a first build raised.
    """
    for name in names:
        toolbox.look(name)
    installed: list[Found] = []
    failures: list[WeftError] = []
    for name in names:
        try:
            installed.append(await toolbox.install(name, say))
            await _warm_up(toolbox, name, say)
        except WeftError as error:
            failures.append(error)
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise WeftError(
            "; ".join(str(error) for error in failures),
            detail="\n".join(error.detail for error in failures if error.detail),
            hint=failures[0].hint,
        )
    return installed


async def _warm_up(toolbox: Toolbox, name: str, say: Say) -> None:
    """Build a small project that nobody keeps; quick when it was done before."""
    if TOOLS[name].first_use is None:
        return
    language = next(each for each in LANGUAGES if name in LANGUAGES[each].tools)
    folder = toolbox.places.cache / "warm-up" / "first-build"
    shutil.rmtree(folder, ignore_errors=True)
    create_project(folder, language=language, example="add-header")
    await build_project(folder, toolbox=toolbox, say=say)
