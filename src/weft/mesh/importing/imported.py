"""What every translator into an intent gives and needs."""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from weft.errors import UsageError
from weft.mesh.intent.intent import API_VERSION, KIND, Intent
from weft.mesh.intent.reading import LineOf, read_intent

__all__ = ["Imported", "config_text", "new_intent", "workload_kind"]

_WKT = "type.googleapis.com/google.protobuf."
_KINDS = {kind.lower(): kind for kind in ("Deployment", "DaemonSet", "StatefulSet")}


@dataclass(frozen=True, slots=True)
class Imported:
    """An intent, and what of the original it does not need or cannot keep."""

    intent: Intent
    notes: tuple[str, ...] = ()


def new_intent(metadata: Any, spec: dict[str, Any], *, where: str, line_of: LineOf) -> Intent:
    """An intent of these fields, without those that are ``None``; raises ``UsageError``."""
    lean = {key: value for key, value in spec.items() if _said(key, value)}
    document = {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": lean}
    # Lines of the original's own fields would mislead: it has others.
    return read_intent(
        document, where=where, line_of=lambda path: line_of(path if path[:1] != ("spec",) else ())
    )


def _said(key: str, value: Any) -> bool:
    """An empty config is one; other fields that are empty say nothing."""
    return value is not None and (key == "config" or value not in ("", {}, [], ()))


def workload_kind(kind: str, *, where: str) -> str:
    """``Deployment``, ``DaemonSet`` or ``StatefulSet``, however the letters were; raises ``UsageError``."""
    found = _KINDS.get(kind.lower())
    if found is None:
        raise UsageError(
            f"{where}: unknown workload type {kind}, must be one of {', '.join(_KINDS.values())}"
        )
    return found


def config_text(held: Any, *, where: str) -> Any:
    """What a filter gets of a ``google.protobuf.Any``: text as it is, a Struct as a mapping."""
    if held is None:
        return None
    if not isinstance(held, dict) or "@type" not in held:
        raise UsageError(f"{where}: must be a mapping with '@type'")
    kind, value = held["@type"], held.get("value")
    if kind == f"{_WKT}StringValue":
        return "" if value is None else str(value)
    if kind == f"{_WKT}BytesValue":
        return _bytes(value, where)
    if kind == f"{_WKT}Struct":
        if not isinstance(value or {}, dict):
            raise UsageError(f"{where}: the value of a Struct must be a mapping, not {json.dumps(value)}")
        return value or {}
    raise UsageError(
        f"{where}: has the type {kind!r}", hint=f"{_WKT}StringValue, BytesValue and Struct can be read"
    )


def _bytes(value: Any, where: str) -> str:
    try:
        return base64.b64decode(str(value or ""), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise UsageError(f"{where}: is not base64 of UTF-8 text") from error
