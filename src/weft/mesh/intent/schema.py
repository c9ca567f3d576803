"""The JSON Schema of an intent, for editors and for the reader's own words. Made from the types."""

from functools import cache
from typing import Any

import msgspec

from weft.mesh.intent.intent import Intent

__all__ = ["Path", "allowed_values", "field_names", "intent_schema"]

Path = tuple[str | int, ...]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


@cache
def _schema() -> dict[str, Any]:
    return {"$schema": _DIALECT, **msgspec.json.schema(Intent)}


def intent_schema() -> dict[str, Any]:
    """A JSON Schema (draft 2020-12) of the kind ``FilterDeployment``."""
    copied: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(_schema()))
    return copied


def field_names(path: Path) -> list[str]:
    """The fields that the mapping at ``path`` may have."""
    return [name for option in _at(path) for name in option.get("properties", {})]


def allowed_values(path: Path) -> list[str]:
    """The words that may stand at ``path``, where only certain words may."""
    return [str(word) for option in _at(path) for word in option.get("enum", [])]


def _at(path: Path) -> list[dict[str, Any]]:
    """The schemas that what stands at ``path`` may follow."""
    options = _options(_schema())
    for step in path:
        inner = []
        for option in options:
            held = option.get("items") if isinstance(step, int) else option.get("properties", {}).get(step)
            held = held or option.get("additionalProperties")
            if isinstance(held, dict):
                inner += _options(held)
        options = inner
    return options


def _options(schema: dict[str, Any]) -> list[dict[str, Any]]:
    if "$ref" in schema:
        return _options(_schema()["$defs"][schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return [option for one in schema["anyOf"] for option in _options(one)]
    return [schema]
