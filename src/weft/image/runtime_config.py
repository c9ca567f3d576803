"""``runtime-config.json``: what a module says about itself, in wasme's words.

::

    {"type": "envoy_proxy", "abiVersions": ["v0.2.1"], "config": {"rootIds": ["add_header"]}}

``abi_versions`` and ``root_ids`` are read too, and the single ``abiVersion`` of early images. Keys that
nobody knows are kept: they come out again behind the known ones. Written as wasme writes it: compact, in
the order above, without members that are empty.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from weft.image.names import WasmAnnotation
from weft.oci import JsonView, compact_json

__all__ = ["ENVOY_PROXY", "MAX_RUNTIME_CONFIG_BYTES", "RuntimeConfig"]

ENVOY_PROXY = "envoy_proxy"

# A real one has some hundred bytes; a config schema pasted into it would still fit.
MAX_RUNTIME_CONFIG_BYTES = 1024 * 1024
_MAX_NAMES = 1000

_TYPE = ("type",)
_ABI_VERSIONS = ("abiVersions", "abi_versions")
_ABI_VERSION = ("abiVersion", "abi_version")
_CONFIG = ("config",)
_ROOT_IDS = ("rootIds", "root_ids")


@dataclass(frozen=True, slots=True)
class RuntimeConfig:
    """A module's type, the ABIs it says it runs on (names of ``weft.image.abi``) and its root ids."""

    type: str = ENVOY_PROXY
    abi_versions: tuple[str, ...] = ()
    root_ids: tuple[str, ...] = ()
    unknown: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Other members of the document."""
    unknown_config: Mapping[str, Any] | None = field(default=None, hash=False)
    """Other members of ``config``; empty and ``None`` differ: an empty ``config`` is written again."""

    @classmethod
    def parse(cls, raw: bytes, *, where: str = "runtime-config.json") -> "RuntimeConfig":
        """Read a file; raises ``DocumentInvalid`` naming ``where`` and the member."""
        view = JsonView.parse(raw, document=where, limit=MAX_RUNTIME_CONFIG_BYTES)
        config = view.get(*_CONFIG)
        root_ids = _texts(config.get(*_ROOT_IDS))
        others = _others(config, _ROOT_IDS)
        single = view.get(*_ABI_VERSION).text("")
        return cls(
            type=view.get(*_TYPE).text(""),
            abi_versions=_texts(view.get(*_ABI_VERSIONS)) or ((single,) if single else ()),
            root_ids=root_ids,
            unknown=_others(view, _TYPE + _ABI_VERSIONS + _ABI_VERSION + _CONFIG),
            unknown_config=others if others or (config and not root_ids) else None,
        )

    def to_json(self) -> dict[str, Any]:
        """The document, in wasme's order of members."""
        document: dict[str, Any] = {}
        if self.type:
            document["type"] = self.type
        if self.abi_versions:
            document["abiVersions"] = list(self.abi_versions)
        if self.root_ids or self.unknown_config is not None:
            root_ids = {"rootIds": list(self.root_ids)} if self.root_ids else {}
            document["config"] = root_ids | dict(self.unknown_config or {})
        return document | dict(self.unknown)

    @property
    def annotations(self) -> dict[str, str]:
        """What wasme puts on the manifest, for readers that do not unpack."""
        return {
            WasmAnnotation.ABI_VERSION: ",".join(self.abi_versions),
            WasmAnnotation.TYPE: self.type,
        }

    def to_bytes(self) -> bytes:
        """The file, byte for byte as wasme writes it."""
        return compact_json(self.to_json())


def _texts(view: JsonView) -> tuple[str, ...]:
    return tuple(item.text() for item in view.items(limit=_MAX_NAMES))


def _others(view: JsonView, known: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in view.members().items() if key not in known}
