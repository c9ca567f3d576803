"""What Envoy has said so far, so that a question about the last second can be answered."""

import asyncio
from collections import deque
from collections.abc import Callable

from weft.envoy.logs import LogParser, Record

__all__ = ["Journal"]

# Long enough for every filter of a chain to be refused at length.
_KEPT = 4000
_CHUNK = 256 * 1024
# Envoy writes a record in one piece; silence this long means that it was the whole of it.
_SILENCE = 0.02


class Journal:
    """The last records of one Envoy, in order; ``on_record`` is told each as it arrives."""

    def __init__(self, on_record: Callable[[Record], None]) -> None:
        self._kept: deque[Record] = deque(maxlen=_KEPT)
        self._count = 0
        self._on_record = on_record

    @property
    def mark(self) -> int:
        """A place in the log: now."""
        return self._count

    def since(self, mark: int) -> list[Record]:
        """The records after ``mark`` that are still held."""
        wanted = self._count - mark
        return list(self._kept)[-wanted:] if wanted > 0 else []

    async def read(self, stream: asyncio.StreamReader) -> None:
        """Keep what comes from ``stream`` until its end."""
        parser = LogParser()
        while True:
            try:
                async with asyncio.timeout(_SILENCE if parser.holds else None):
                    data = await stream.read(_CHUNK)
            except TimeoutError:
                self._add(parser.flush())
                continue
            self._add(parser.feed(data) if data else parser.flush())
            if not data:
                return

    def _add(self, records: list[Record]) -> None:
        for record in records:
            self._kept.append(record)
            self._count += 1
            self._on_record(record)
