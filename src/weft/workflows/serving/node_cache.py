"""Keep a node's modules: read the list again and again, settle, and answer over HTTP meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from weft.base.files import os_errors_as, read_limited
from weft.base.locks import exclusive
from weft.errors import UsageError
from weft.nodecache import (
    MAX_LIST_BYTES,
    Folder,
    Mirrored,
    NodeCache,
    Report,
    Settings,
    Source,
    Wanted,
    app,
    read_wanted,
)
from weft.oci import Reference
from weft.registry import CredentialFile, Handed
from weft.signing import Policy
from weft.workflows.deploying.cluster import ClusterAccess
from weft.workflows.images.registries import open_registries
from weft.workflows.serving.following import following
from weft.workflows.serving.listening import Listening, listening
from weft.workflows.signatures.verify import verified

__all__ = ["Duty", "Place", "keep_node", "settle_node"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """What to keep: the images named, and those in a file that is read anew for every pass."""

    references: tuple[Reference, ...] = ()
    list_file: Path | None = None
    cluster: ClusterAccess | None = None
    """Also what filters of this cluster need; it is told what the node holds."""
    policy: Policy | None = None

    def wanted(self, before: Wanted) -> Wanted:
        """The list as it is now; one that cannot be read leaves ``before``, and says so."""
        if self.list_file is None:
            return Wanted(self.references)
        try:
            raw = read_limited(self.list_file, MAX_LIST_BYTES)
            if raw is None:
                return replace(before, problems=(f"{self.list_file} is larger than {MAX_LIST_BYTES} bytes",))
            listed = read_wanted(raw.decode(), where=str(self.list_file))
        except OSError as error:
            return replace(before, problems=(f"{self.list_file}: {error.strerror}",))
        except UnicodeDecodeError as error:
            return replace(before, problems=(f"{self.list_file} is not UTF-8 at byte {error.start}",))
        return replace(listed, references=tuple(dict.fromkeys(self.references + listed.references)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where, as whom and how often. ``port`` 0 is any free one; ``None`` means that nothing is served."""

    folder: Path
    copies: tuple[Path, ...] = ()
    """More folders that have all modules."""
    named: Path | None = None
    """What proxies call the folder, where that is not its path here."""
    node: str
    address: str = "127.0.0.1"
    port: int | None = None
    interval: float = 2.0
    settings: Settings = field(default_factory=Settings)

    @property
    def folders(self) -> tuple[str, ...]:
        """Where proxies find the modules."""
        return tuple(map(str, (self.named or self.folder, *self.copies)))


async def settle_node(duty: Duty, place: Place, env: Mapping[str, str], say: Callable[[str], None]) -> Report:
    """One pass, and how it ended. Raises ``WeftError`` for a folder that cannot be used."""
    async with _cache(duty, place, env, say) as cache:
        with os_errors_as(f"cannot use {place.folder}"):
            await cache.settle(duty.wanted(Wanted()))
        return cache.report()


async def keep_node(
    duty: Duty,
    place: Place,
    env: Mapping[str, str],
    say: Callable[[str], None],
    *,
    ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Pass after pass until cancelled; ``ready`` is told the URL, once it answers."""
    handed = Handed()
    async with (
        _cache(duty, place, env, say, handed) as cache,
        _served(cache, place) as url,
        following(duty.cluster, place.node, say, _into(handed, cache)) as cluster,
    ):
        if url:
            ready(url)
        wanted = Wanted()
        while True:
            with os_errors_as(f"cannot use {place.folder}"):
                wanted = duty.wanted(wanted)
                await cache.settle(cluster.added_to(wanted) if cluster else wanted)
            if cluster:
                await cluster.tell(cache.report())
            await asyncio.sleep(place.interval)


def _into(handed: Handed, cache: NodeCache) -> Callable[[tuple[CredentialFile, ...]], None]:
    def hand(files: tuple[CredentialFile, ...]) -> None:
        handed.hand(files)
        cache.renew()

    return hand


@asynccontextmanager
async def _cache(
    duty: Duty,
    place: Place,
    env: Mapping[str, str],
    say: Callable[[str], None],
    handed: Handed | None = None,
) -> AsyncIterator[NodeCache]:
    if not (duty.references or duty.list_file or duty.cluster):
        raise UsageError("no images to keep", hint="name some, a file with --ref-file, or --cluster")
    async with open_registries(env, (), handed=handed) as registries:

        async def admit(reference: Reference) -> Reference:
            assert duty.policy is not None  # noqa: S101 - handed over only with one
            return await verified(registries, reference, duty.policy)

        source = Source(registries, admit if duty.policy else None)
        async with _folder(place, say) as folder:
            yield NodeCache(
                folder, source, node=place.node, folders=place.folders, settings=place.settings, say=say
            )


@asynccontextmanager
async def _folder(place: Place, say: Callable[[str], None]) -> AsyncIterator[Folder]:
    """The folder, ours alone: a process that is being replaced ends first."""
    path = place.folder
    async with AsyncExitStack() as held:
        with os_errors_as(f"cannot use {path}"):
            await asyncio.to_thread(path.mkdir, parents=True, exist_ok=True)
            lock = exclusive(path / ".lock", on_wait=lambda: say(f"waiting for another weft to leave {path}"))
            await held.enter_async_context(lock)
            folder = Mirrored(path, place.copies) if place.copies else Folder(path)
        yield folder


@asynccontextmanager
async def _served(cache: NodeCache, place: Place) -> AsyncIterator[str]:
    if place.port is None:
        yield ""
        return
    async with listening(app(cache), Listening(place.address, place.port)) as url:
        yield url
