"""What a person sees of Envoy's log.

A filter's own words read ``my_filter | info | what it said``. A trap reads the same way, with its
backtrace. Envoy's own messages are shown when they are errors, or all of them on request; with ``host_calls``
so is every call between Envoy and the modules.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from weft.envoy.logs import Record, filter_line, is_at_least
from weft.envoy.refusal import Symbolize, is_explained, symbolized, trap_in
from weft.mesh import Plugin

if TYPE_CHECKING:
    from weft.envoy.hostcalls import HostCalls

__all__ = ["LogView"]


class LogView:
    """Turns records into lines for ``plugins``."""

    def __init__(
        self,
        plugins: Sequence[Plugin],
        *,
        everything: bool = False,
        host_calls: bool = False,
        symbolize: Symbolize | None = None,
    ) -> None:
        self._plugins = plugins
        self._everything = everything
        self._calls = _host_calls() if host_calls else None
        self._symbolize = symbolize

    def lines(self, record: Record) -> list[str]:
        """The lines to show for ``record``: none for what nobody asked to see."""
        if spoken := filter_line(record, self._plugins):
            return _lines(spoken.name, spoken.level, spoken.words)
        if self._calls and (call := self._calls.line(record)):
            return _lines("wasm", "trace", call)
        if trap := trap_in(record):
            who = self._plugins[0].id if len(self._plugins) == 1 else "filter"
            words = f"trapped in {trap.function}: {trap.reason}"
            trace = symbolized(trap.trace, who, self._symbolize)
            return _lines(who, record.level, f"{words}\n{trace}".rstrip())
        if self._everything or (is_at_least(record.level, "error") and not is_explained(record)):
            return _lines("envoy", record.level, record.message)
        return []


def _host_calls() -> "HostCalls":
    from weft.envoy.hostcalls import HostCalls  # its tables are for those who trace

    return HostCalls()


def _lines(who: str, level: str, words: str) -> list[str]:
    return [f"{who} | {level} | {line}" for line in words.split("\n")]
