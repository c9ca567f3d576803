"""Exchange filters in a running Envoy as their sources change; a failure leaves the last good one."""

import time
from collections.abc import Set as AbstractSet
from pathlib import Path

from weft.envoy import Feed, Proxy
from weft.errors import WeftError
from weft.mesh import Plugin
from weft.workflows.chain import make_plugin
from weft.workflows.follow import is_under
from weft.workflows.loading import Load, Loaded
from weft.workflows.order import Order, Tell
from weft.workflows.symbols import symbolizer

__all__ = ["Swapper"]


class Swapper:
    """The filters of one running Envoy; ``chain`` is what serves now, and others read it too."""

    def __init__(
        self,
        order: Order,
        load: Load,
        feed: Feed,
        proxy: Proxy,
        filters: list[Loaded],
        chain: list[Plugin],
        tell: Tell,
    ) -> None:
        self._order = order
        self._load = load
        self._feed = feed
        self._proxy = proxy
        self._filters = filters
        self._chain = chain
        self._tell = tell

    @property
    def watched(self) -> set[Path]:
        """All files and folders whose change matters."""
        return {path for index in range(len(self._order.sources)) for path in self._paths(index)}

    async def confirm(self) -> None:
        """Check that Envoy took the filters it was started with; raises ``FilterRefused``."""
        for plugin in self._chain:
            await self._feed.confirm(self._proxy, plugin, symbolizer(self._chain))

    async def changed(self, paths: AbstractSet[Path]) -> None:
        """Load the filters that ``paths`` belong to and give them to Envoy; failures are told, not raised."""
        for index in range(len(self._order.sources)):
            if any(is_under(path, self._paths(index)) for path in paths):
                try:
                    await self._renew(index)
                except WeftError as error:
                    self._tell.trouble(error)
                    self._tell.say(f"{self._chain[index].id} goes on as it was")

    async def _renew(self, index: int) -> None:
        old = self._chain[index]
        loaded = await self._load(self._order.sources[index])
        plugin = make_plugin(loaded, self._order.wishes, index, old.id, self._feed.keep(loaded.module))
        self._filters[index] = loaded
        if plugin == old:
            return
        started = time.monotonic()
        await self._feed.swap(self._proxy, plugin, symbolizer([plugin]))
        self._chain[index] = plugin
        self._feed.forget_modules({Path(used.module) for used in self._chain})
        what = "configuration" if plugin.module == old.module else "code"
        self._tell.say(f"{plugin.id}: new {what} in {(time.monotonic() - started) * 1000:.0f} ms")

    def _paths(self, index: int) -> set[Path]:
        return {*self._filters[index].watch, *self._order.wishes.config_file(index)}
