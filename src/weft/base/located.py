"""Plain data that remembers on which line each of its values stood."""

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Located"]


@dataclass(frozen=True, slots=True)
class Located:
    """A document of a file; ``node`` is what YAML's reader composed."""

    value: Any
    where: str
    node: Any = field(default=None, repr=False, compare=False)

    def line_of(self, path: tuple[str | int, ...]) -> int | None:
        """The line of the value at ``path``, or of the nearest thing around it that is there."""
        node, line = self.node, _line(self.node)
        for step in path:
            key, node = _inside(node, step)
            if node is None:
                break
            line = _line(key or node)
        return line

    def items(self, field: str) -> "list[Located]":
        """The members of the list at ``field``, as documents of their own."""
        _, held = _inside(self.node, field)
        nodes = held.value if held is not None else [None] * len(self.value[field])
        return [Located(one, self.where, node) for one, node in zip(self.value[field], nodes, strict=True)]


def _line(node: Any) -> int | None:
    return None if node is None else int(node.start_mark.line) + 1


def _inside(node: Any, step: str | int) -> tuple[Any, Any]:
    """The key's node, where there is one, and the value's at ``step``."""
    held = getattr(node, "value", None)
    if not isinstance(held, list):
        return None, None
    if isinstance(step, int):
        return None, held[step] if step < len(held) and not isinstance(held[step], tuple) else None
    pairs = (pair for pair in held if isinstance(pair, tuple))
    return next(((key, value) for key, value in pairs if key.value == step), (None, None))
