"""What a person sees of Envoy's log.

A filter's own words read ``my_filter | info | what it said``. A trap reads the same way, with its
backtrace. Envoy's own messages are shown when they are errors, or all of them on request.
"""

from collections.abc import Sequence

from weft.envoy.logs import Record, filter_line, is_at_least
from weft.envoy.refusal import Symbolize, is_explained, symbolized, trap_in
from weft.mesh import Plugin

__all__ = ["LogView"]


class LogView:
    """Turns records into lines for ``plugins``."""

    def __init__(
        self,
        plugins: Sequence[Plugin],
        *,
        everything: bool = False,
        symbolize: Symbolize | None = None,
    ) -> None:
        self._plugins = plugins
        self._everything = everything
        self._symbolize = symbolize

    def lines(self, record: Record) -> list[str]:
        """The lines to show for ``record``: none for what nobody asked to see."""
        if spoken := filter_line(record, self._plugins):
            return _lines(spoken.name, spoken.level, spoken.words)
        if trap := trap_in(record):
            who = self._plugins[0].id if len(self._plugins) == 1 else "filter"
            words = f"trapped in {trap.function}: {trap.reason}"
            trace = symbolized(trap.trace, who, self._symbolize)
            return _lines(who, record.level, f"{words}\n{trace}".rstrip())
        if self._everything or (is_at_least(record.level, "error") and not is_explained(record)):
            return _lines("envoy", record.level, record.message)
        return []


def _lines(who: str, level: str, words: str) -> list[str]:
    return [f"{who} | {level} | {line}" for line in words.split("\n")]
