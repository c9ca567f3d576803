"""What a run is asked to do, with which Envoy, and who is told what happens."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from weft.envoy import Levels, Program
from weft.errors import WeftError
from weft.mesh import Upstream, default_bootstrap, move_listener, patch_bootstrap
from weft.tracing import Form
from weft.workflows.running.chain import Wishes

__all__ = ["DEFAULT_PORT", "Host", "Order", "Running", "Tell", "bootstrap_for"]


DEFAULT_PORT = 8080


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the user asked for."""

    sources: tuple[str, ...]
    wishes: Wishes = field(default_factory=Wishes)
    bootstrap: Mapping[str, Any] | None = None
    """Somebody's own, as plain data; what stands there stays unless a port here says otherwise."""
    upstream: Upstream | None = None
    clusters: Mapping[str, Upstream] = field(default_factory=dict)
    trusted_ca: str | None = None
    port: int | None = None
    admin_port: int | None = None
    watch: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The Envoy to run, and how much it logs."""

    program: Program
    env: Mapping[str, str]
    arguments: Sequence[str] = ()
    levels: Levels
    show_everything: bool = False
    trace: Form = ""
    """How calls between Envoy and the filters are shown."""


@dataclass(frozen=True, slots=True)
class Running:
    """Where requests are answered; ``pid`` is Envoy's."""

    url: str
    admin: str
    pid: int


@dataclass(frozen=True, slots=True)
class Tell:
    """Who is told what happens."""

    ready: Callable[[Running], None]
    say: Callable[[str], None]
    trouble: Callable[[WeftError], None]
    """Something failed that does not end the run."""


def bootstrap_for(
    order: Order, entries: Sequence[Mapping[str, Any]], upstream: Upstream | None
) -> dict[str, Any]:
    """The bootstrap with ``entries`` as its HTTP filters; raises what ``patch_bootstrap`` raises."""
    if order.bootstrap is not None:
        patched = patch_bootstrap(order.bootstrap, entries)
        return patched if order.port is None else move_listener(patched, order.port)
    return default_bootstrap(
        entries,
        upstream=upstream,
        keep_host=order.upstream is None,  # the echo shows the host that the filters left
        clusters=order.clusters,
        trusted_ca=order.trusted_ca,
        port=DEFAULT_PORT if order.port is None else order.port,
        admin_port=order.admin_port or 0,
    )
