"""The names of functions in backtraces, for those that Envoy cannot name itself."""

from collections.abc import Sequence
from pathlib import Path

from weft.envoy import Symbolize
from weft.errors import WeftError
from weft.mesh import Plugin

__all__ = ["symbolizer"]


def symbolizer(chain: Sequence[Plugin]) -> Symbolize:
    """Looks into the modules of ``chain`` as they are when it is asked."""

    def function_at(name: str, offset: int) -> str | None:
        from weft.wasm import read_module, symbolize

        path = next((plugin.module for plugin in chain if plugin.id == name), None)
        try:
            return symbolize(read_module(Path(path).read_bytes()), offset) if path else None
        except (OSError, WeftError):
            return None  # a backtrace without a name is still a backtrace

    return function_at
