"""Run filters in a real Envoy in front of an upstream, or print the bootstrap that would.

``serve`` is the life of ``weft run``: load, start, tell where requests are answered, and go on until Envoy
ends or we are cancelled. With ``watch`` the filters are fed through files (ECDS) and exchanged as they
change.
"""

import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

from weft.base.tasks import beside
from weft.envoy import Echo, Feed, Launch, LogView, Proxy, Record
from weft.mesh import Plugin, Upstream, discovered_filter, runnable, static_filter
from weft.workflows.running.chain import make_chain
from weft.workflows.running.follow import Watch
from weft.workflows.running.keeping import keep_module
from weft.workflows.running.loading import Loader
from weft.workflows.running.order import Host, Order, Running, Tell, bootstrap_for
from weft.workflows.running.swap import Swapper, watched_by
from weft.workflows.running.symbols import symbolizer

__all__ = ["render", "serve"]


async def render(order: Order, loader: Loader, *, cache: Path) -> dict[str, Any]:
    """The bootstrap that runs the filters, for any Envoy on this machine.

    Modules that have no file of their own are kept in ``cache``. Raises what ``Loader.load``, ``make_chain``
    and ``patch_bootstrap`` raise.
    """
    filters = [await loader.load(source) for source in order.sources]
    plugins = make_chain(
        filters, order.wishes, lambda loaded: loaded.path or keep_module(loaded.module, cache)
    )
    bootstrap = bootstrap_for(order, [static_filter(plugin) for plugin in plugins], order.upstream)
    if order.bootstrap is not None and order.admin_port is not None:
        return runnable(bootstrap, admin_port=order.admin_port)
    return bootstrap


async def serve(order: Order, loader: Loader, host: Host, tell: Tell) -> None:
    """Run the filters until Envoy ends; cancel it to stop. Nothing is left behind either way.

    Raises ``FilterRefused`` in the filter's own words, and what ``Loader.load``, ``make_chain``,
    ``patch_bootstrap`` and ``Proxy.serving`` raise.
    """
    watch = Watch(_watched(order, loader)) if order.watch else None  # before loading, to miss nothing
    filters = [await loader.load(source) for source in order.sources]
    async with AsyncExitStack() as stack:
        feed = Feed(stack.enter_context(_folder()))
        chain = list(make_chain(filters, order.wishes, lambda loaded: feed.keep(loaded.module)))
        upstream, meanwhile = _upstream(order, stack)
        bootstrap = bootstrap_for(order, _entries(chain, feed, watch=order.watch), upstream)
        symbolize = symbolizer(chain)
        view = LogView(chain, everything=host.show_everything, host_calls=host.trace, symbolize=symbolize)
        log = _Log(view, tell.say)
        launch = Launch(
            program=host.program,
            bootstrap=runnable(bootstrap, admin_port=order.admin_port),
            folder=feed.folder,
            env=host.env,
            plugins=chain,
            arguments=host.arguments,
            levels=host.levels,
            on_record=log.record,
            symbolize=symbolize,
        )
        proxy = await stack.enter_async_context(Proxy(launch).serving(meanwhile))
        if watch:
            swapper = Swapper(order, loader, feed, proxy, chain, tell)
            await swapper.confirm()
            await stack.enter_async_context(beside(watch.follow(swapper.changed)))
        tell.ready(Running(proxy.url, proxy.admin.url, proxy.pid))
        log.open()
        if end := await proxy.ended():
            raise end


def _watched(order: Order, loader: Loader) -> Iterator[Path]:
    for index in range(len(order.sources)):
        yield from watched_by(index, order, loader)


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="weft-run-") as name:
        yield Path(name).resolve()


def _upstream(order: Order, stack: AsyncExitStack) -> tuple[Upstream | None, Callable[[], Awaitable[None]]]:
    """Where requests go, and what has to be started for that; what it puts on ``stack`` outlasts Envoy."""
    if order.upstream or order.bootstrap is not None:
        return order.upstream, _start_nothing
    echo = Echo()
    stack.callback(echo.close)

    async def start() -> None:
        await stack.enter_async_context(echo.serving())

    return echo.upstream, start


async def _start_nothing() -> None:
    """The upstream is somebody else's."""


def _entries(chain: Sequence[Plugin], feed: Feed, *, watch: bool) -> list[dict[str, Any]]:
    """The filters for ``http_filters``: whole, or to be read from files that may change."""
    if not watch:
        return [static_filter(plugin) for plugin in chain]
    for plugin in chain:
        feed.write(plugin)
    return [discovered_filter(plugin, str(feed.document(plugin))) for plugin in chain]


class _Log:
    """Shows Envoy's log from the moment requests are answered; before that, a refusal says it better."""

    def __init__(self, view: LogView, say: Callable[[str], None]) -> None:
        self._view = view
        self._say = say
        self._held: list[str] = []
        self._open = False

    def record(self, record: Record) -> None:
        self._held += self._view.lines(record)
        if self._open:
            self.open()

    def open(self) -> None:
        self._open = True
        while self._held:
            self._say(self._held.pop(0))
