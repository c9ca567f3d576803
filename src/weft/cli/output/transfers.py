"""How copies of images look: bars on a terminal while they run, one line when they are done."""

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from weft.cli.console import Console
from weft.cli.output.sizes import human_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from weft.oci import Descriptor, Digest
    from weft.workflows.images.transfer import Outcome, Progress, Report

__all__ = ["report_document", "show_report", "watch"]


@contextmanager
def watch(console: Console) -> "Iterator[Progress]":
    """Bars for the block's copies where somebody sees them; with ``--verbose`` a line per blob elsewhere."""
    if not console.stderr.isatty():
        yield _Lines(console)
        return
    from rich.console import Console as RichConsole
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
    from rich.progress import Progress as RichProgress

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with RichProgress(*columns, console=RichConsole(file=console.stderr), transient=True) as bars:
        yield _Bars(bars)


def show_report(console: Console, did: str, reference: str, report: "Report", form: str) -> None:
    """What a copy did: a line for people, or one JSON line."""
    if form == "json":
        console.data(json.dumps(report_document(reference, report)))
        return
    console.talk(f"{did} {reference} ({human_size(report.moved)} moved)")
    console.talk(f"Digest: {report.root.digest}")


def report_document(reference: str, report: "Report") -> dict[str, Any]:
    """What a copy did, for scripts.

    ::

        {"reference": "hub.example.com/team/f:v1", "digest": "sha256:…", "mediaType": "application/…",
         "blobs": {"copied": 2, "there": 0, "mounted": 0}, "bytes": 12697}
    """
    return {
        "reference": reference,
        "digest": str(report.root.digest),
        "mediaType": report.root.media_type,
        "blobs": report.counts,
        "bytes": report.moved,
    }


class _Lines:
    """A line per blob, for those who asked."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def begin(self, descriptor: "Descriptor") -> None:
        """Say nothing yet."""

    def advance(self, descriptor: "Descriptor", count: int) -> None:
        """Say nothing of each piece."""

    def end(self, descriptor: "Descriptor", outcome: "Outcome") -> None:
        """Say what became of the blob."""
        self._console.detail(f"{outcome} {descriptor.digest} ({human_size(descriptor.size)})")


class _Bars:
    """A bar per blob that moves."""

    def __init__(self, bars: "RichProgress") -> None:
        self._bars = bars
        self._tasks: dict[Digest, TaskID] = {}

    def begin(self, descriptor: "Descriptor") -> None:
        """Draw an empty bar."""
        self._tasks[descriptor.digest] = self._bars.add_task(descriptor.digest.short, total=descriptor.size)

    def advance(self, descriptor: "Descriptor", count: int) -> None:
        """Fill it."""
        self._bars.advance(self._tasks[descriptor.digest], count)

    def end(self, descriptor: "Descriptor", outcome: "Outcome") -> None:  # noqa: ARG002 - the protocol's
        """Take it away."""
        if task := self._tasks.pop(descriptor.digest, None):
            self._bars.remove_task(task)
