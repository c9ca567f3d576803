"""What both forms of a suite are read into: scalars, and messages with fields, each with its line."""

from dataclasses import dataclass, field

from weft.errors import UsageError

__all__ = ["MOST_DEEP", "Message", "Place", "Scalar", "Value"]

MOST_DEEP = 20
"""Deeper than any suite, and not deep enough to hurt."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file."""

    file: str
    line: int

    def wrong(self, what: str, hint: str | None = None) -> UsageError:
        """The error to raise."""
        return UsageError(f"{self.file}:{self.line}: {what}", hint=hint)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text, a number or a word."""

    place: Place
    text: str
    is_text: bool
    """Whether it may stand for a text."""
    is_word: bool = True
    """Whether it may stand for a number or a truth."""


@dataclass(frozen=True, slots=True)
class Message:
    """Fields in order; a repeated one occurs several times."""

    place: Place
    fields: list[tuple[str, "Value"]] = field(default_factory=list)


Value = Scalar | Message
