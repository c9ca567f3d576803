"""A foreign document read with its place at hand, so that a complaint names the spot."""

from typing import Any

from weft.errors import UsageError

__all__ = ["Node", "as_tree"]

# The largest bootstraps that people write have some ten thousand values. YAML's aliases can make
# billions of them from one page.
_MAX_VALUES = 1_000_000
_MAX_DEPTH = 100

_TYPED_STRUCTS = ("udpa.type.v1.TypedStruct", "xds.type.v3.TypedStruct")


class Node:
    """A mapping of a protobuf document in YAML or JSON; fields are asked for in snake_case.

    The mapping itself is shared, not copied: who changes what ``get`` gives changes the document.
    """

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise UsageError(f"{where or 'the bootstrap'} must be a mapping, not {_kind(value)}")
        self._fields = value
        self.where = where

    def spelling(self, field: str) -> str:
        """How the document writes ``field``: ``http_filters`` or ``httpFilters``."""
        head, *tail = field.split("_")
        camel = head + "".join(word.capitalize() for word in tail)
        return camel if field not in self._fields and camel in self._fields else field

    def get(self, field: str) -> Any:
        """The value of ``field``, or ``None``."""
        return self._fields.get(self.spelling(field))

    def set(self, field: str, value: Any) -> None:
        """Change ``field`` in the document, in its own spelling."""
        self._fields[self.spelling(field)] = value

    def child(self, field: str) -> "Node | None":
        """The mapping under ``field``, if there is one; ``UsageError`` when it is something else."""
        value = self.get(field)
        return None if value is None else Node(value, self._place(field))

    def children(self, field: str) -> "list[Node]":
        """The mappings in the list under ``field``; ``UsageError`` when it is something else."""
        value = self.get(field)
        if value is None:
            return []
        place = self._place(field)
        if not isinstance(value, list):
            raise UsageError(f"{place} must be a list, not {_kind(value)}")
        return [Node(item, f"{place}[{index}]") for index, item in enumerate(value)]

    @property
    def is_typed_struct(self) -> bool:
        """Whether the real message is wrapped: ``{"@type": …TypedStruct, type_url: …, value: …}``."""
        return str(self._fields.get("@type")).endswith(_TYPED_STRUCTS)

    @property
    def type_url(self) -> str:
        """The type of the message, wrapped or not; empty when it has none."""
        return str(self.get("type_url") if self.is_typed_struct else self._fields.get("@type", ""))

    def _place(self, field: str) -> str:
        spelled = self.spelling(field)
        return f"{self.where}.{spelled}" if self.where else spelled


def as_tree(value: Any) -> Any:
    """A copy in which no two places share a value, as JSON would have it.

    A list that a YAML alias names twice would otherwise be changed twice. Raises ``UsageError`` for what
    JSON cannot say, and for a document that is too large or contains itself.
    """
    budget = [_MAX_VALUES]

    def copy(value: Any, depth: int) -> Any:
        budget[0] -= 1
        if budget[0] < 0 or depth > _MAX_DEPTH:
            raise UsageError("the bootstrap is too large, or contains itself")
        if isinstance(value, dict):
            return {_key(key): copy(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list):
            return [copy(item, depth + 1) for item in value]
        if value is None or isinstance(value, str | int | float):
            return value
        raise UsageError(f"the bootstrap holds {value!r}, which JSON has no form for")

    return copy(value, 0)


def _key(key: Any) -> str:
    if isinstance(key, str):
        return key
    raise UsageError(f"the bootstrap has the key {key!r}; keys must be text", hint="put it in quotes")


def _kind(value: Any) -> str:
    names = {type(None): "nothing", str: "text", list: "a list", dict: "a mapping", bool: "a boolean"}
    return names.get(type(value), "a number")
