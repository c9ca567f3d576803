"""Copy an image, whatever belongs to it, from anywhere to anywhere.

The rules: blobs before the manifests that name them, children before parents, the tag last, so that a copy
that dies leaves content which nobody sees, and the next run finds it; several blobs at once, none twice.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Protocol

from weft.oci import Descriptor, Digest, Index, Manifest
from weft.workflows.images.contents import Sink, Source
from weft.workflows.images.graph import Graph

__all__ = ["AT_ONCE", "Outcome", "Progress", "Report", "Transfer", "Unwatched"]

# Three at once, as dockerd and containerd do: more starves slow links, fewer wastes fast ones.
AT_ONCE = 3


class Outcome(StrEnum):
    """What became of a blob."""

    COPIED = "copied"
    THERE = "there"
    """It was there already."""
    MOUNTED = "mounted"


class Progress(Protocol):
    """Somebody who watches blobs being copied."""

    def begin(self, descriptor: Descriptor) -> None:
        """A blob is looked at."""
        ...

    def advance(self, descriptor: Descriptor, count: int) -> None:
        """So many more of its bytes have been copied."""
        ...

    def end(self, descriptor: Descriptor, outcome: Outcome) -> None:
        """It is at its place."""
        ...


class Unwatched:
    """Nobody watches."""

    def begin(self, descriptor: Descriptor) -> None:
        """Nothing."""

    def advance(self, descriptor: Descriptor, count: int) -> None:
        """Nothing."""

    def end(self, descriptor: Descriptor, outcome: Outcome) -> None:
        """Nothing."""


@dataclass(slots=True)
class Report:
    """What a transfer did."""

    root: Manifest | Index
    outcomes: dict[Digest, Outcome] = field(default_factory=dict)
    moved: int = 0
    """Bytes of the blobs that were copied."""

    @property
    def counts(self) -> dict[str, int]:
        """How many blobs came out how."""
        return {
            outcome.value: sum(1 for each in self.outcomes.values() if each is outcome) for outcome in Outcome
        }


class Transfer:
    """One copy: ``await Transfer(source, sink).run(graph, tag)``."""

    def __init__(
        self, source: Source, sink: Sink, *, progress: Progress | None = None, at_once: int = AT_ONCE
    ) -> None:
        self._source = source
        self._sink = sink
        self._progress = progress or Unwatched()
        self._at_once = at_once

    async def run(self, graph: Graph, tag: str | None = None) -> Report:
        """Copy what the sink lacks of ``graph``; the root goes last, under ``tag``."""
        report = Report(graph.root)
        there = [await self._sink.has_manifest(node.manifest.descriptor) for node in graph.nodes]
        lacking = Graph(tuple(node for node, has in zip(graph.nodes, there, strict=True) if not has)).blobs
        for blob in graph.blobs.values():
            if blob.digest not in lacking:
                self._end(report, blob, Outcome.THERE)
        await self._each(lacking.values(), lambda blob: self._copy(blob, report))
        for node, has in zip(graph.nodes[:-1], there, strict=False):
            if node.tag or not has:
                await self._sink.put_manifest(node.manifest, node.tag)
        await self._sink.put_manifest(graph.root, tag)
        return report

    async def _copy(self, blob: Descriptor, report: Report) -> None:
        self._progress.begin(blob)
        if await self._sink.has_blob(blob):
            self._end(report, blob, Outcome.THERE)
            return
        sent = await self._sink.put_blob(blob, partial(self._counted, blob))
        self._end(report, blob, Outcome.COPIED if sent else Outcome.MOUNTED)
        report.moved += blob.size if sent else 0

    def _end(self, report: Report, blob: Descriptor, outcome: Outcome) -> None:
        report.outcomes[blob.digest] = outcome
        self._progress.end(blob, outcome)

    async def _counted(self, blob: Descriptor, start: int = 0) -> AsyncGenerator[bytes, None]:
        self._progress.advance(blob, start)
        opened = self._source.open_blob(blob, verify=not self._sink.verifies, start=start)
        async with aclosing(opened) as chunks:
            async for chunk in chunks:
                yield chunk
                self._progress.advance(blob, len(chunk))

    async def _each(self, blobs: Iterable[Descriptor], work: Callable[[Descriptor], Awaitable[None]]) -> None:
        """Do ``work`` for several blobs at once; the first failure ends all and is raised as it is."""
        gate = asyncio.Semaphore(self._at_once)

        async def one(blob: Descriptor) -> None:
            async with gate:
                await work(blob)

        try:
            async with asyncio.TaskGroup() as group:
                for blob in blobs:
                    group.create_task(one(blob))
        except BaseExceptionGroup as failures:
            raise _first(failures) from None


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first failure that is none of a group."""
    first = failures.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
