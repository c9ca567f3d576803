"""Functions, files and lines in the backtraces that Envoy writes."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from weft.envoy import Symbolize
from weft.errors import WeftError
from weft.mesh import Plugin

__all__ = ["symbolizer"]


def symbolizer(chain: Sequence[Plugin]) -> Symbolize:
    """Looks into the modules of ``chain`` as they are when it is asked."""

    def symbolize(name: str, trace: Sequence[str]) -> Iterable[str]:
        from weft.symbols import Symbols, annotated

        path = next((plugin.module for plugin in chain if plugin.id == name), None)
        try:
            return annotated(trace, Symbols(Path(path).read_bytes())) if path else trace
        except (OSError, WeftError):
            return trace  # a backtrace that says less is still a backtrace

    return symbolize
