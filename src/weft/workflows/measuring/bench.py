"""``weft bench``: all that is known of what a filter costs, and whether its budgets are kept."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from weft.envoy import Program
from weft.mesh import Plugin as Chained
from weft.project import Budgets
from weft.testhost import Code, Plugin, config_bytes
from weft.workflows.measuring.budgets import Verdict, judged
from weft.workflows.measuring.host import HostFigures, measure_callbacks, measure_memory
from weft.workflows.measuring.proxy import Comparison, Rounds, compare
from weft.workflows.running.chain import Wishes, make_chain
from weft.workflows.running.loading import Loaded, Loader

__all__ = ["Benchmark", "benchmark"]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Figures of a filter, and which of its budgets it keeps."""

    name: str
    host: HostFigures
    envoy: Comparison | None
    """``None`` where no Envoy was asked."""
    verdicts: tuple[Verdict, ...]

    def document(self) -> dict[str, Any]:
        """The figures, ready for JSON. Keys are only ever added."""
        host = asdict(self.host) | {"fuel": self.host.fuel}
        envoy = None
        if self.envoy:
            envoy = asdict(self.envoy) | {"ratio": self.envoy.ratio, "added_us": self.envoy.added_us}
        return {"filter": self.name, "host": host, "envoy": envoy}


async def benchmark(
    source: str,
    wishes: Wishes,
    loader: Loader,
    *,
    rounds: Rounds,
    program: Program | None,
    env: Mapping[str, str],
) -> Benchmark:
    """Load, measure on the test host, and with ``program`` on Envoy.

    Raises what ``Loader.load``, ``make_chain``, ``Code.load`` and ``compare`` raise, and ``FilterRefused``.
    """
    loaded = await loader.load(source)
    with _file(loaded.module) as module:
        [plugin] = make_chain([loaded], wishes, lambda _: module)
        host = _on_host(loaded, plugin)
        envoy = await compare(program, plugin, rounds, env=env) if program else None
    return Benchmark(loaded.name, host, envoy, _judged(loaded.budgets, host, envoy))


@contextmanager
def _file(module: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="weft-bench-") as folder:
        path = Path(folder).resolve() / "filter.wasm"
        path.write_bytes(module)
        yield path


def _on_host(loaded: Loaded, plugin: Chained) -> HostFigures:
    code = Code.load(loaded.module)
    config = b"" if plugin.config is None else config_bytes(plugin.config)
    told = Plugin(name=plugin.id, root_id=plugin.root_id, config=config)
    return HostFigures(len(loaded.module), measure_memory(code, told), measure_callbacks(code, told))


def _judged(budgets: Budgets, host: HostFigures, envoy: Comparison | None) -> tuple[Verdict, ...]:
    return judged(budgets.limits(), host.figures | (envoy.figures if envoy else {}))
