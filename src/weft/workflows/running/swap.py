"""Exchange filters in a running Envoy as their sources change; a failure leaves the last good one."""

import time
from collections.abc import Set as AbstractSet
from pathlib import Path

from weft.envoy import Feed, Proxy
from weft.errors import WeftError
from weft.mesh import Plugin
from weft.workflows.running.chain import make_plugin
from weft.workflows.running.follow import is_under
from weft.workflows.running.loading import Loader
from weft.workflows.running.order import Order, Tell
from weft.workflows.running.symbols import symbolizer

__all__ = ["Swapper", "watched_by"]


def watched_by(index: int, order: Order, loader: Loader) -> list[Path]:
    """What changes when the filter at ``index`` or its configuration does."""
    return [loader.watched(order.sources[index]), *order.wishes.config_file(index)]


class Swapper:
    """The filters of one running Envoy; ``chain`` is what serves now, and others read it too."""

    def __init__(
        self,
        order: Order,
        loader: Loader,
        feed: Feed,
        proxy: Proxy,
        chain: list[Plugin],
        tell: Tell,
    ) -> None:
        self._order = order
        self._loader = loader
        self._feed = feed
        self._proxy = proxy
        self._chain = chain
        self._tell = tell

    async def confirm(self) -> None:
        """Check that Envoy took the filters it was started with; raises ``FilterRefused``."""
        for plugin in self._chain:
            await self._feed.confirm(self._proxy, plugin, symbolizer(self._chain))

    async def changed(self, paths: AbstractSet[Path]) -> None:
        """Load the filters that ``paths`` belong to and give them to Envoy; failures are told, not raised."""
        for index in range(len(self._order.sources)):
            watched = watched_by(index, self._order, self._loader)
            if any(is_under(path, watched) for path in paths):
                try:
                    await self._renew(index)
                except WeftError as error:
                    self._tell.trouble(error)
                    self._tell.say(f"{self._chain[index].id} goes on as it was")

    async def _renew(self, index: int) -> None:
        old = self._chain[index]
        loaded = await self._loader.load(self._order.sources[index])
        plugin = make_plugin(loaded, self._order.wishes, index, old.id, self._feed.keep(loaded.module))
        if plugin == old:
            return
        started = time.monotonic()
        await self._feed.swap(self._proxy, plugin, symbolizer([plugin]))
        self._chain[index] = plugin
        self._feed.forget_modules({Path(used.module) for used in self._chain})
        what = "configuration" if plugin.module == old.module else "code"
        self._tell.say(f"{plugin.id}: new {what} in {(time.monotonic() - started) * 1000:.0f} ms")
