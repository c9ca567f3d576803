"""Functions, files and lines in the backtraces that Envoy writes."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from weft.envoy import Symbolize
from weft.errors import WeftError
from weft.mesh import Plugin

if TYPE_CHECKING:
    from weft.symbols import Symbols

__all__ = ["symbolizer"]

_MODULES = 8  # of a chain, and of the versions that --watch brings


def symbolizer(chain: Sequence[Plugin]) -> Symbolize:
    """Looks into the modules of ``chain`` as they are when it is asked; each file is read once."""

    def symbolize(name: str, trace: Sequence[str]) -> Iterable[str]:
        from weft.symbols import annotated

        path = next((plugin.module for plugin in chain if plugin.id == name), None)
        try:
            return annotated(trace, symbols(path)) if path else trace
        except (OSError, WeftError):
            return trace  # a backtrace that says less is still a backtrace

    @lru_cache(maxsize=_MODULES)
    def symbols(path: str) -> "Symbols":
        from weft.symbols import Symbols

        return Symbols(Path(path).read_bytes())

    return symbolize
