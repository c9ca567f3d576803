"""Envoy's command line: ours, unless the user said otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ADDRESS_FILE", "DEFAULT_LEVELS", "Levels", "envoy_arguments"]

ADDRESS_FILE = "admin.address"
"""In the folder of a running Envoy: where its admin listens."""

_LEVEL = ("-l", "--log-level")
_COMPONENTS = "--component-log-level"


@dataclass(frozen=True, slots=True)
class Levels:
    """How much is logged: by Envoy, and by and about filters."""

    envoy: str = "warning"
    wasm: str = "info"


DEFAULT_LEVELS = Levels()


def envoy_arguments(bootstrap: Path, folder: Path, levels: Levels, given: Sequence[str]) -> list[str]:
    """The words for a start with ``bootstrap``; ``given`` are the user's and each wins over ours.

    One worker: a filter that counts then counts every request. Hot restart shares memory between all
    Envoys of a user, which several at once would fight for.
    """
    given, components = _without_components(given)
    words = ["--config-path", str(bootstrap), "--admin-address-path", str(folder / ADDRESS_FILE)]
    if "--disable-hot-restart" not in given:
        words.append("--disable-hot-restart")
    if "--concurrency" not in given:
        words += ["--concurrency", "1"]
    if not any(level in given for level in _LEVEL):
        words += ["--log-level", levels.envoy]
        components = [f"wasm:{levels.wasm}", *components]
    if components:
        words += [_COMPONENTS, ",".join(components)]
    return [*words, *given]


def _without_components(given: Sequence[str]) -> tuple[list[str], list[str]]:
    """Envoy takes the option once; the user's value is joined to ours."""
    rest = list(given)
    if _COMPONENTS not in rest[:-1]:
        return rest, []
    place = rest.index(_COMPONENTS)
    components = rest[place + 1].split(",")
    del rest[place : place + 2]
    return rest, components
