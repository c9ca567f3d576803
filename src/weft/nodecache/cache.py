"""The node cache itself: pass after pass, from what is wanted to what is there."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from weft.base.clock import Clock, SystemClock
from weft.errors import WeftError
from weft.nodecache.folder import Folder
from weft.nodecache.ledger import Ledger
from weft.nodecache.report import Report, State, Wish
from weft.nodecache.settings import Settings
from weft.nodecache.source import Source
from weft.nodecache.wanted import Wanted
from weft.oci import Digest, Reference
from weft.registry import AuthFailed

__all__ = ["NodeCache"]


@dataclass(frozen=True, slots=True)
class _Entry:
    """What is known of one reference. ``look_at`` is the time of the next look at its registry."""

    image: Digest | None = None
    module: Digest | None = None
    look_at: float = 0.0
    failures: int = 0
    message: str = ""

    def wish(self, reference: Reference, *, here: bool) -> Wish:
        if here:
            state = State.STALE if self.message else State.READY
        else:
            state = State.FAILED if self.message else State.PENDING
        image, module = self.image or "", self.module or ""
        return Wish(str(reference), state, str(image), str(module), self.message)


class NodeCache:
    """Keeps the modules of the wanted images in ``folder``. ``say`` is told what happens, a line each.

    ``folders`` is what proxies call it and its copies, where that is not its path.
    """

    def __init__(
        self,
        folder: Folder,
        source: Source,
        *,
        node: str = "",
        folders: tuple[str, ...] = (),
        settings: Settings | None = None,
        clock: Clock | None = None,
        ledger: Ledger | None = None,
        chance: Callable[[], float] = random.random,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.folder = folder
        self.source = source
        self.failures = 0
        """Of all looks and downloads so far."""
        self._node = node
        self._folders = folders or (str(folder.path),)
        self._settings = settings or Settings()
        self._clock = clock or SystemClock()
        self._ledger = ledger or Ledger(folder.path)
        self._chance = chance
        self._say = say
        self._wanted = Wanted(problems=("no list of images was read yet",))
        self._entries: dict[Reference, _Entry] = {}
        self._downloads = asyncio.Semaphore(self._settings.downloads)

    async def settle(self, wanted: Wanted) -> None:
        """One pass: look what the references mean, bring what is missing, remove what has had its grace.

        Trouble with an image is told in ``report`` and tried again by a later pass. Raises ``OSError`` when
        the folder cannot be used.
        """
        self._tell_of(wanted)
        self._wanted = wanted
        self._entries = {one: self._entries.get(one) or self._remembered(one) for one in wanted.references}
        async with asyncio.TaskGroup() as tasks:
            for reference in wanted.references:
                tasks.create_task(self._see_to(reference))
        # Whoever mistyped a line wants more than we know: nothing is removed on such a list's word.
        if not wanted.problems:
            self._clean()
        self._ledger.save()

    def renew(self) -> None:
        """Credentials have changed: they count from now on, and what was refused is tried at once."""
        self.source.renew()
        for reference, entry in self._entries.items():
            if entry.message:
                self._entries[reference] = replace(entry, look_at=0.0, failures=0)

    def report(self) -> Report:
        """How things are."""
        modules = self.folder.modules()
        wishes = (
            entry.wish(reference, here=entry.module in modules) for reference, entry in self._entries.items()
        )
        return Report(
            self._node,
            tuple(wishes),
            self._wanted.problems,
            len(modules),
            sum(modules.values()),
            self._folders,
        )

    def _tell_of(self, wanted: Wanted) -> None:
        if wanted != self._wanted:
            count = len(wanted.references)
            self._say(f"{count} image{'' if count == 1 else 's'} wanted")
            for problem in wanted.problems:
                self._say(problem)

    def _remembered(self, reference: Reference) -> _Entry:
        known = self._ledger.newest(reference)
        return _Entry(*known) if known else _Entry()

    async def _see_to(self, reference: Reference) -> None:
        entry = self._entries[reference]
        here = entry.module is not None and await asyncio.to_thread(self.folder.holds, entry.module)
        now = self._clock.now()
        moves = reference.digest is None
        if (here and not moves and not entry.message) or (now < entry.look_at and (here or entry.message)):
            return
        async with self._downloads:
            try:
                entry = await self._look(reference, entry)
            except WeftError as error:
                if isinstance(error, AuthFailed):
                    self.source.renew()
                entry = self._failed(reference, entry, str(error))
            except OSError as error:
                entry = self._failed(reference, entry, f"{self.folder.path}: {error.strerror or error}")
        self._entries[reference] = entry

    async def _look(self, reference: Reference, entry: _Entry) -> _Entry:
        image = await self.source.resolve(reference)
        module = self._ledger.module_of(reference, image)
        if module is None or not await asyncio.to_thread(self.folder.holds, module):
            module = await self.source.bring(reference, image, self.folder)
            self._say(f"{reference} is here: {self.folder.file(module)}")
        elif entry.message:
            self._say(f"{reference} can be reached again")
        self._ledger.note(reference, image, module, keep=self._settings.earlier)
        return _Entry(image, module, self._clock.now() + self._settings.look_again)

    def _failed(self, reference: Reference, entry: _Entry, message: str) -> _Entry:
        self.failures += 1
        if message != entry.message:
            self._say(f"{reference}: {message}")
        failures = entry.failures + 1
        wait = self._settings.wait_after(failures, self._chance())
        return replace(entry, look_at=self._clock.now() + wait, failures=failures, message=message)

    def _clean(self) -> None:
        unwanted = self._ledger.judge(self._wanted.references, self.folder.modules())
        for module, seconds in unwanted.items():
            if seconds >= self._settings.grace:
                self.folder.remove(module)
                self._say(f"{self.folder.file(module)} is removed: not wanted for {seconds / 3600:.1f} h")
