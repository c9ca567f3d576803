"""What a person sees of Envoy's log.

A filter's own words read ``my_filter | info | what it said``. A trap reads the same way, with its
backtrace. Envoy's own messages are shown when they are errors, or all of them on request; with ``host_calls``
so is every call between Envoy and the modules, as Envoy writes it or made readable (``weft.tracing``).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from weft.envoy.logs import Record, filter_line, is_at_least
from weft.envoy.refusal import Symbolize, is_explained, symbolized, trap_in
from weft.mesh import Plugin

if TYPE_CHECKING:
    from weft.tracing import Calls, Form

__all__ = ["LogView"]


class LogView:
    """Turns records into lines for ``plugins``."""

    def __init__(
        self,
        plugins: Sequence[Plugin],
        *,
        everything: bool = False,
        host_calls: "Form" = "",
        symbolize: Symbolize | None = None,
    ) -> None:
        self._plugins = plugins
        self._everything = everything
        self._host_calls = host_calls
        self._calls = _calls() if host_calls else None
        self._symbolize = symbolize

    def lines(self, record: Record) -> list[str]:
        """The lines to show for ``record``: none for what nobody asked to see."""
        if spoken := filter_line(record, self._plugins):
            return _lines(spoken.name, spoken.level, spoken.words)
        if self._calls and record.component == "wasm":
            call = self._calls.line(record.message, record.thread)
            if call is not None:
                return _lines("wasm", "trace", call if self._host_calls == "decoded" else record.message)
        if trap := trap_in(record):
            who = self._plugins[0].id if len(self._plugins) == 1 else "filter"
            words = f"trapped in {trap.function}: {trap.reason}"
            trace = symbolized(trap.trace, who, self._symbolize)
            return _lines(who, record.level, f"{words}\n{trace}".rstrip())
        if self._everything or (is_at_least(record.level, "error") and not is_explained(record)):
            return _lines("envoy", record.level, record.message)
        return []


def _calls() -> "Calls":
    from weft.tracing import Calls  # its tables are for those who trace

    return Calls()


def _lines(who: str, level: str, words: str) -> list[str]:
    return [f"{who} | {level} | {line}" for line in words.split("\n")]
