"""Have the tools a verb needs: those of this machine, or fetched when the user agrees."""

from collections.abc import Callable, Sequence
from pathlib import Path

from weft.toolchains import Tool, Toolbox

__all__ = ["Allow", "Say", "ignore", "never", "provide"]

Say = Callable[[str], None]
"""Is told what goes on, a line at a time."""

Allow = Callable[[Sequence[Tool]], bool]
"""Is asked once whether these may be fetched."""


def ignore(_line: str) -> None:
    """Nobody listens."""


def never(_tools: Sequence[Tool]) -> bool:
    """Nobody may be asked."""
    return False


async def provide(
    toolbox: Toolbox, names: Sequence[str], *, allow: Allow = never, say: Say = ignore
) -> dict[str, Path]:
    """Name → program of each tool, after fetching what is missing if ``allow`` agrees.

    Raises ``PartMissing`` naming all that is still not here and the command that helps.
    """
    absent = [one.tool for one in toolbox.missing(names)]
    if absent and all(tool.package for tool in absent) and allow(absent):
        for tool in absent:
            await toolbox.install(tool.name, say)
    return toolbox.require(names)
