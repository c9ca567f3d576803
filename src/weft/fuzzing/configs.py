"""Configurations by a JSON Schema, and beside it.

Of JSON Schema is understood what describes configurations: types, ``properties``, ``items``, ``enum``,
``const``, ``default``, ``examples``, alternatives and local ``$ref``. What is not understood makes a value
that the filter has to refuse, which is as welcome.
"""

from collections.abc import Mapping
from random import Random
from typing import Any

from weft.fuzzing.drawing import chance, text
from weft.fuzzing.vocabulary import PATHS

__all__ = ["bent", "by_schema"]

_DEEPEST = 4
_MOST_ITEMS = 3
# Lists in lists multiply; one that has to be longer is a value that the filter has to refuse.
_MOST_NEEDED = 20
_TYPES = ("string", "integer", "number", "boolean", "null", "object", "array")
_NUMBERS = (0, 1, -1, 2, 7, 1000, 2**31, 2**32, -(2**63), 2**63, 0.5, -1.5, 1e300)
_RAW = (
    *("", "{", "{}", "[]", "null", "0", '"', '{"a":}', '{"a":1,}', "\x00", "é", " " * 99),
    *("[" * 200, '{"a":' * 100),
)
_NO_KEYS = ("x", "", "Name", "a" * 300)


def by_schema(schema: Any, dice: Random, *, root: Any = None, depth: int = 0) -> Any:
    """A value that the schema most likely allows."""
    root = schema if root is None else root
    schema = _resolved(schema, root)
    known = [schema[word] for word in ("const", "default") if word in schema]
    known += [value for word in ("enum", "examples") for value in _list(schema.get(word))]
    if known and ("enum" in schema or "const" in schema or chance(dice, 0.5)):
        return dice.choice(known)
    for word in ("anyOf", "oneOf", "allOf"):
        if _list(schema.get(word)) and depth < _DEEPEST:
            return by_schema(dice.choice(schema[word]), dice, root=root, depth=depth + 1)
    return _typed(schema, dice, root, depth)


def bent(value: Any, dice: Random) -> Any:
    """A configuration that is not as it should be: one part of it is another, or it is no JSON."""
    if chance(dice, 0.2):
        return dice.choice(_RAW)
    if isinstance(value, dict) and value and chance(dice, 0.7):
        key = dice.choice(sorted(value))
        return {**value, key: bent(value[key], dice)}
    if isinstance(value, dict):
        return {**value, dice.choice(_NO_KEYS): _any(dice)}
    if isinstance(value, list) and value:
        at = dice.randrange(len(value))
        return [*value[:at], bent(value[at], dice), *value[at + 1 :]]
    return _any(dice)


def _any(dice: Random) -> Any:
    return _typed({"type": dice.choice(_TYPES)}, dice, {}, _DEEPEST - 1)


def _typed(schema: Mapping[str, Any], dice: Random, root: Any, depth: int) -> Any:
    kinds = schema.get("type") or ("object" if "properties" in schema else list(_TYPES))
    kind = str(dice.choice(kinds) if isinstance(kinds, list) else kinds)
    if kind == "object":
        return _mapping(schema, dice, root, depth)
    if kind == "array":
        least = min(_whole(schema.get("minItems"), 0), _MOST_NEEDED)
        count = dice.randint(least, max(least, _MOST_ITEMS)) if depth < _DEEPEST else 0
        return [by_schema(schema.get("items"), dice, root=root, depth=depth + 1) for _ in range(count)]
    if kind in {"integer", "number"}:
        return _number(schema, dice, whole=kind == "integer")
    if kind == "boolean":
        return chance(dice, 0.5)
    return None if kind == "null" else _string(schema, dice)


def _mapping(schema: Mapping[str, Any], dice: Random, root: Any, depth: int) -> dict[str, Any]:
    parts = schema.get("properties")
    if not isinstance(parts, Mapping) or depth >= _DEEPEST:
        return {}
    needed = _list(schema.get("required"))
    return {
        name: by_schema(part, dice, root=root, depth=depth + 1)
        for name, part in parts.items()
        if name in needed or chance(dice, 0.6)
    }


def _number(schema: Mapping[str, Any], dice: Random, *, whole: bool) -> int | float:
    low, high = _whole(schema.get("minimum"), -(2**63)), _whole(schema.get("maximum"), 2**63)
    allowed = [value for value in (low, low + 1, high - 1, high, *_NUMBERS) if low <= value <= high]
    picked = dice.choice(allowed or [low])
    return int(picked) if whole else picked


def _string(schema: Mapping[str, Any], dice: Random) -> str:
    """A pattern is not read: a text that has to start with a slash does now and then."""
    made = dice.choice(PATHS) if chance(dice, 0.3) else text(dice)
    least, most = _whole(schema.get("minLength"), 0), _whole(schema.get("maxLength"), len(made))
    return made[: max(most, 0)].ljust(min(least, 1000), "a")


def _resolved(schema: Any, root: Any) -> Mapping[str, Any]:
    for _ in range(_DEEPEST):
        target = schema.get("$ref") if isinstance(schema, Mapping) else None
        if not isinstance(target, str) or not target.startswith("#"):
            break
        schema = root
        for word in target.split("/")[1:]:
            schema = schema.get(word) if isinstance(schema, Mapping) else None
    return schema if isinstance(schema, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _whole(value: Any, default: int) -> int:
    return int(value) if isinstance(value, int | float) and abs(value) < 2**64 else default
