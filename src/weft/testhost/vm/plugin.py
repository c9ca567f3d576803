"""What a filter is beside its code."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Plugin"]


@dataclass(frozen=True, slots=True)
class Plugin:
    """What a proxy is told about a filter beside its code."""

    name: str = ""
    root_id: str = ""
    vm_id: str = ""
    config: bytes = b""
    vm_config: bytes = b""
    environment: Mapping[str, str] = field(default_factory=dict)
    fail_open: bool = False
