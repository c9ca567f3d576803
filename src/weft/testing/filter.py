"""A filter at work in the test's own process."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import partial
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from weft.errors import FilterRefused, NotFound, WeftError
from weft.testhost import Code, Host, LogLine, Plugin, World, config_bytes
from weft.testing.call import Call
from weft.testing.crash import check
from weft.testing.message import HeadersLike, pairs_of
from weft.testing.stream import Stream

__all__ = ["Filter"]

_NS_PER_SECOND = 1_000_000_000
_DEFAULTS = ((":method", "GET"), (":scheme", "http"), (":authority", "example.com"), (":path", "/"))


class Filter:
    """A started filter. Not for several threads."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._seen: list[str] = []
        self._check = partial(check, host, self._seen)

    @classmethod
    def load(
        cls,
        module: bytes | str | PathLike[str] | Code,
        *,
        root_id: str = "",
        config: Any = None,
        name: str = "",
        vm_config: Any = None,
        environment: Mapping[str, str] | None = None,
        fail_open: bool = False,
        clusters: Iterable[str] | None = None,
        properties: Mapping[str, object] | None = None,
        log_level: str = "info",
        cache: Path | None = None,
    ) -> Self:
        """Compile, start and configure.

        ``module`` is a file or its bytes. ``config`` and ``vm_config`` are texts or bytes as they are, and
        everything else as JSON. ``clusters`` are those that can be called: all, unless given. ``properties``
        is dotted path → value. ``cache`` is a folder that keeps compiled modules between runs.

        Raises ``FilterRefused`` when Envoy would not load the module or the filter refuses its configuration
        (what it logged is the ``detail``), and ``NotFound`` for a file that is not there.
        """
        plugin = Plugin(
            name=name,
            root_id=root_id,
            config=_config(config),
            vm_config=_config(vm_config),
            environment=environment or {},
            fail_open=fail_open,
        )
        world = World(
            clusters=None if clusters is None else frozenset(clusters),
            properties=properties or {},
            log_level=log_level,
        )
        try:
            return cls(Host.start(_code(module, cache), plugin, world=world))
        except FilterRefused as error:
            if error.detail:
                error.add_note(error.detail)  # so that a test which did not expect it shows why
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take the filter away, as Envoy does when its configuration changes."""
        if self._host.vm.failure is None:
            self._host.shut_down()

    # -- what happens to it

    def request(
        self,
        path: str = "/",
        *,
        method: str = "GET",
        headers: HeadersLike = (),
        body: bytes | str | None = None,
        trailers: HeadersLike = (),
        end: bool = True,
    ) -> Stream:
        """A client asks; with ``end=False`` more of the body comes. Raises ``FilterCrashed``.

        ``headers`` win over ``path``, ``method`` and the defaults (``:authority`` is ``example.com``).
        """
        given = pairs_of(headers)
        said = {name for name, _ in given}
        basis = dict(_DEFAULTS) | {":method": method, ":path": path}
        whole = [*((name, value) for name, value in basis.items() if name not in said), *given]
        stream = Stream(self._host, self._check)
        stream.request(whole, body, trailers, end=end)
        return stream

    def advance(self, time: timedelta | float) -> None:
        """Let time pass, in seconds: timers tick and calls time out in order. Raises ``FilterCrashed``."""
        seconds = time.total_seconds() if isinstance(time, timedelta) else time
        self._host.advance(round(seconds * _NS_PER_SECOND))
        self._check()

    def tick(self) -> None:
        """Let the filter's timer fire once, now. Raises ``FilterCrashed``."""
        self._host.tick()
        self._check()

    # -- what it did

    @property
    def calls(self) -> list[Call]:
        """Calls that wait for an answer, the oldest first."""
        pending = list(self._host.world.pending.values())
        return [Call(self._host, callout, self._check) for callout in pending]

    @property
    def logs(self) -> list[LogLine]:
        """All it logged: ``level`` and ``message``."""
        return list(self._host.world.logs)

    @property
    def metrics(self) -> dict[str, int | list[int]]:
        """Name → value; for a histogram all values it was given."""
        return self._host.world.metrics.document()

    @property
    def shared_data(self) -> Mapping[str, bytes]:
        """Key → value."""
        return self._host.world.shared_data.document()

    @property
    def trace(self) -> list[str]:
        """Every call between host and filter, as Envoy logs it."""
        return list(self._host.world.trace)

    @property
    def failure(self) -> str | None:
        """What Envoy logs when the filter trapped; ``None`` while it lives."""
        return self._host.vm.failure


def _code(module: bytes | str | PathLike[str] | Code, cache: Path | None) -> Code:
    if isinstance(module, Code):
        return module
    if isinstance(module, bytes):
        return Code.load(module, cache)
    try:
        return Code.load(Path(module).read_bytes(), cache)
    except FileNotFoundError as error:
        raise NotFound(f"{module}: no such file") from error
    except OSError as error:
        raise WeftError(f"{module}: {error.strerror}") from error


def _config(config: Any) -> bytes:
    if config is None:
        return b""
    return config if isinstance(config, bytes) else config_bytes(config)
