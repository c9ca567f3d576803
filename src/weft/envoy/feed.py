"""The files that a running Envoy reads its filters from, and reads again when they change (ECDS).

The rules, each learnt from Envoy 1.40:

* a module lies under the digest of its bytes: Envoy compares configurations, not files, so new code under
an old
  name would be accepted and never loaded;
* a document changes by renaming a whole file over it; Envoy watches for that;
* an update that Envoy or the filter refuses leaves the last good one serving. The refusal is a counter, its
  reason is in the log only.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

from weft.base.files import atomic_write
from weft.envoy.logs import Record
from weft.envoy.proxy import Proxy
from weft.envoy.refusal import Symbolize, explain_refusal
from weft.errors import WeftError
from weft.mesh import Plugin, discovery_document

__all__ = ["Feed"]

# A Go module compiles in two seconds on a loaded machine.
_SWAP_TIMEOUT = 30.0
_LOOK_AGAIN = 0.005
_WORDS_TIMEOUT = 1.0
_STATS = "extension_config_discovery.http_filter."


class Feed:
    """Modules and documents under one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._modules = folder / "modules"
        self._documents = folder / "filters"
        for made in (self._modules, self._documents):
            made.mkdir(parents=True, exist_ok=True)

    def keep(self, module: bytes) -> Path:
        """Lay a module down; the same bytes have one file."""
        path = self._modules / f"{hashlib.sha256(module).hexdigest()}.wasm"
        if not path.exists():
            atomic_write(path, module)
        return path

    def document(self, plugin: Plugin) -> Path:
        """Where Envoy reads ``plugin`` from."""
        return self._documents / f"{plugin.id}.json"

    def write(self, plugin: Plugin) -> str:
        """Say what ``plugin`` is now; gives the version of the document."""
        document = discovery_document(plugin)
        atomic_write(self.document(plugin), json.dumps(document, ensure_ascii=False).encode())
        return str(document["version_info"])

    def forget_modules(self, used: set[Path]) -> None:
        """Delete the modules that are not among ``used``."""
        for path in self._modules.iterdir():
            if path not in used:
                path.unlink(missing_ok=True)

    async def swap(self, proxy: Proxy, plugin: Plugin, symbolize: Symbolize | None = None) -> None:
        """Give the running Envoy ``plugin`` in place of the one with its id.

        Back when new requests meet the new one. Raises ``FilterRefused`` when it is turned down; the old
        one goes on serving then.
        """
        before, mark = await _counts(proxy, plugin), proxy.journal.mark
        await _confirm(proxy, plugin, self.write(plugin), before[1], mark, symbolize)

    async def confirm(self, proxy: Proxy, plugin: Plugin, symbolize: Symbolize | None = None) -> None:
        """Check that Envoy took what was written before it started; raises ``FilterRefused``."""
        version = str(discovery_document(plugin)["version_info"])
        await _confirm(proxy, plugin, version, 0, 0, symbolize)


async def _confirm(
    proxy: Proxy, plugin: Plugin, version: str, refused_before: int, mark: int, symbolize: Symbolize | None
) -> None:
    try:
        async with asyncio.timeout(_SWAP_TIMEOUT):
            current, refused = await _counts(proxy, plugin)
            while current != version and refused == refused_before:
                await asyncio.sleep(_LOOK_AGAIN)
                current, refused = await _counts(proxy, plugin)
    except TimeoutError as error:
        raise WeftError(f"Envoy did not take {plugin.id} within {_SWAP_TIMEOUT:g} s") from error
    if current != version:
        records = await _said(proxy, mark)
        raise explain_refusal(records, plugin.id, [plugin], symbolize)


async def _counts(proxy: Proxy, plugin: Plugin) -> tuple[str, int]:
    """The version that serves, and how many updates were refused so far."""
    start = f"{_STATS}{plugin.id}."
    stats = await proxy.admin.stats(f"^{re.escape(start)}")
    refused = sum(int(stats.get(start + name, "0")) for name in ("update_rejected", "update_failure"))
    return stats.get(f"{start}version_text", ""), refused


async def _said(proxy: Proxy, mark: int) -> list[Record]:
    """The log since ``mark``, to the line with which Envoy turns an update down."""

    def complete(records: list[Record]) -> bool:
        return any("config update" in record.message for record in records)

    return await _until(lambda: proxy.journal.since(mark), complete)


async def _until(read: Callable[[], list[Record]], complete: Callable[[list[Record]], bool]) -> list[Record]:
    records = read()
    try:
        async with asyncio.timeout(_WORDS_TIMEOUT):
            while not complete(records):
                await asyncio.sleep(_LOOK_AGAIN)
                records = read()
    except TimeoutError:
        return records
    return records
