"""One filter as a proxy runs it: which module, under which names, with which configuration.

Envoy shares a VM between plugins whose ``vm_id`` and code are equal, and then two of them overwrite each
other's module-global state. So every plugin has a VM of its own: its ``vm_id`` is its id.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from weft.errors import UsageError

__all__ = ["Failure", "Plugin"]

# It names statistics, files and a VM, and stands in log lines before a colon.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Failure(StrEnum):
    """What happens to requests when the filter crashes."""

    CLOSED = "closed"
    """503 until the filter is configured anew."""
    OPEN = "open"
    """They pass without the filter."""
    RELOAD = "reload"
    """503 until Envoy has started the filter again, about a second later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """A filter in a chain. Raises ``UsageError`` for an id that Envoy's names cannot carry."""

    id: str
    """Names it in statistics, logs and the chain; unique within one proxy."""
    module: str
    """Where the proxy reads the module: an absolute path on its machine."""
    root_id: str = ""
    config: Any = None
    """What ``on_configure`` receives: text as it is, everything else as JSON; ``None``: nothing."""
    failure: Failure = Failure.CLOSED
    environment: Mapping[str, str] = field(default_factory=dict)
    host_environment: tuple[str, ...] = ()
    """Variables of the proxy's own environment that the filter may read."""
    capabilities: tuple[str, ...] | None = None
    """Host functions and callbacks it may use; ``None``: all."""
    shares_vm_of: str | None = None
    """The id of a plugin with the same module whose VM it runs in."""

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise UsageError(
                f"{self.id!r} cannot be a filter's id",
                hint="use letters, digits, dots, - and _, starting with a letter or digit",
            )

    @property
    def vm_id(self) -> str:
        """A VM of its own (see above), unless another plugin's was asked for."""
        return self.shares_vm_of or self.id

    @property
    def config_text(self) -> str | None:
        """The bytes of the configuration, as text."""
        if self.config is None or isinstance(self.config, str):
            return self.config
        return json.dumps(self.config, ensure_ascii=False, separators=(",", ":"))
