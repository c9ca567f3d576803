"""Envoy's log as records.

A line starts ``[2026-11-20 22:12:25.206][19939][info][wasm] [file.cc:1151] message``; what does not start
like that continues the record before (a backtrace). A filter's own words are messages of the component
``wasm``: ``wasm log[ name][ root_id][ vm_id]: words``, the name only when a request was at hand.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from weft.mesh import Plugin

__all__ = ["FilterLine", "LogParser", "Record", "filter_line", "is_at_least"]

_LEVELS = ("trace", "debug", "info", "warning", "error", "critical", "off")
_HEAD = re.compile(
    r"\[(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+)\]\[(?P<thread>\d+)\]"
    r"\[(?P<level>\w+)\]\[(?P<component>[\w.]+)\] (?:\[[^\]]*:\d+\] )?(?P<message>.*)"
)
_SPOKEN = re.compile(r"wasm log(?P<who>[^:]*): (?P<words>.*)", re.DOTALL)
# Protobuf puts one of these, and blanks, into texts that people should not compare.
_NOISE = re.compile(r"goo\.gle/debug\w+\s+")

# A record larger than this is cut: a filter may log whole bodies, and nobody reads them here.
_MAX_RECORD = 64 * 1024


@dataclass(frozen=True, slots=True)
class Record:
    """One message of Envoy. Lines that are no log lines (usage texts, crashes) have no component."""

    level: str
    component: str
    message: str
    thread: str = ""


@dataclass(frozen=True, slots=True)
class FilterLine:
    """What a filter said itself."""

    name: str
    level: str
    words: str


def is_at_least(level: str, threshold: str) -> bool:
    """Whether ``level`` is as grave as ``threshold``; an unknown level always is."""
    return level not in _LEVELS or _LEVELS.index(level) >= _LEVELS.index(threshold)


class LogParser:
    """Feed it what Envoy writes, in any pieces; it gives back whole records.

    A record may go on in the next piece, so the last one is held until another begins or ``flush``.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._open: Record | None = None

    @property
    def holds(self) -> bool:
        """Whether something waits for more."""
        return bool(self._rest or self._open)

    def feed(self, data: bytes) -> list[Record]:
        """The records that are complete now."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _MAX_RECORD:
            lines.append(self._rest)
            self._rest = b""
        return [record for line in lines for record in self._line(line.decode(errors="replace"))]

    def flush(self) -> list[Record]:
        """What is still held: call it when Envoy has been silent for a moment, and at the end."""
        records = self._line(self._rest.decode(errors="replace")) if self._rest else []
        held, self._rest, self._open = self._open, b"", None
        return records + ([held] if held else [])

    def _line(self, line: str) -> list[Record]:
        if head := _HEAD.match(line):
            finished, self._open = self._open, _record(head)
            return [finished] if finished else []
        if self._open and len(self._open.message) < _MAX_RECORD:
            self._open = replace(self._open, message=f"{self._open.message}\n{line}".rstrip())
            return []
        return [Record("info", "", line)] if line.strip() and not self._open else []


def _record(head: re.Match[str]) -> Record:
    message = _NOISE.sub("", head["message"])
    return Record(head["level"], head["component"], message, head["thread"])


def filter_line(record: Record, plugins: Iterable[Plugin]) -> FilterLine | None:
    """The filter's own words in ``record``, if it holds any, under the id of one of ``plugins``."""
    if record.component != "wasm":
        return None
    for plugin in plugins:
        root = " ".join(part for part in ("wasm log", plugin.root_id, plugin.vm_id) if part)
        stream = " ".join(part for part in ("wasm log", plugin.id, plugin.root_id, plugin.vm_id) if part)
        for start in (f"{root}: ", f"{stream}: "):
            if record.message.startswith(start):
                return FilterLine(plugin.id, record.level, record.message.removeprefix(start))
    spoken = _SPOKEN.fullmatch(record.message)
    return FilterLine(spoken["who"].strip() or "filter", record.level, spoken["words"]) if spoken else None
