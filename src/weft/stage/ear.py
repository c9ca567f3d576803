"""What Envoy's log says of the filter that is played.

Envoy has a thread that configures and one that works. Both run the filter, and so does a trial before; what
counts is the worker's, because it is the one that requests meet. A marked request makes the worker write a
line that nothing else writes, so everything it said before is known to be here.
"""

import re
from collections.abc import Callable, Sequence

from weft.envoy import Record
from weft.scenario import ObservedLog

__all__ = ["Ear", "failure", "local_reply", "own_lines", "trace_lines"]

_MARK = re.compile(r"script log: weft-mark(?: (\d+))?")
_FAILED = re.compile(r"Function: \S+ failed: ")
_LOCAL = re.compile(r"\[vm->host\] env\.proxy_send_local_response\((\d+), .*, (\d+)\)")
_QUEUE = "env.proxy_register_shared_queue"
_SPOKEN = "wasm log"
_LEVELS = {"warning": "warn"}


class Ear:
    """Keeps what is said of filters; ``changed`` is called for each record."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.mark = -1
        """The last mark that is known to be followed by nothing older."""
        self.worker = ""
        self._records: list[Record] = []
        self._changed = changed

    @property
    def place(self) -> int:
        """Now."""
        return len(self._records)

    def hear(self, record: Record) -> None:
        """Take one record."""
        if found := _MARK.match(record.message):
            self.worker = record.thread
            self.mark = int(found[1] or self.mark)
        elif record.component == "wasm":
            self._records.append(record)
        self._changed()

    def worked(self, since: int) -> list[Record]:
        """The worker's records."""
        return [record for record in self._records[since:] if record.thread == self.worker]

    def reads_queues(self, since: int) -> bool:
        """Whether the worker is told of what comes into the queues that were registered.

        Each of Envoy's threads registers them, in no order, and the last is told: so its call and the
        answer must be the last two lines.
        """
        lines = [record for record in self._records[since:] if _QUEUE in record.message]
        return all(record.thread == self.worker for record in lines[-2:])

    def configured(self, since: int) -> list[Record]:
        """The last attempt of the other thread to start the filter."""
        records = [record for record in self._records[since:] if record.thread != self.worker]
        starts = [at for at, record in enumerate(records) if "Wasm created" in record.message]
        return records[starts[-1] :] if starts else records


def own_lines(records: Sequence[Record], vm_ids: Sequence[str]) -> tuple[ObservedLog, ...]:
    """What the filters of these VMs said themselves; what they say while their code starts names no VM."""
    line = re.compile(rf"{_SPOKEN}(?:|.*? (?:{'|'.join(map(re.escape, vm_ids))})): (.*)", re.DOTALL)
    said = ((record, found[1]) for record in records if (found := line.match(record.message)))
    return tuple(ObservedLog(_LEVELS.get(record.level, record.level), words) for record, words in said)


def trace_lines(records: Sequence[Record]) -> tuple[str, ...]:
    """What crossed the border, and what was said."""
    kept = (record.message for record in records if record.level != "debug" or _spoken(record))
    return tuple(line for message in kept for line in message.split("\n"))


def failure(records: Sequence[Record]) -> str | None:
    """How the filter failed first."""
    return next((record.message for record in records if _FAILED.match(record.message)), None)


def local_reply(records: Sequence[Record]) -> tuple[int, int] | None:
    """Status and gRPC status of the last local reply that the filter asked for."""
    found = [match for record in records if (match := _LOCAL.match(record.message))]
    return (int(found[-1][1]), int(found[-1][2])) if found else None


def _spoken(record: Record) -> bool:
    return record.message.startswith(_SPOKEN)
