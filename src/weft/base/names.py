"""One name, in the spelling each language wants.

``path_rewrite`` → ``path-rewrite`` (images, crates), ``path_rewrite`` (root ids, files),
``PathRewrite`` (classes).
"""

import re
from dataclasses import dataclass

from weft.errors import UsageError

__all__ = ["Name"]

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[A-Z]")


@dataclass(frozen=True, slots=True)
class Name:
    """The words of a name, lower case."""

    words: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Name":
        """Split ``my-filter``, ``my_filter``, ``MyFilter`` or ``my filter`` into words.

        Raises ``UsageError`` when nothing is left that could name a class: it must start with a letter.
        """
        words = tuple(word.lower() for word in _WORDS.findall(text))
        if not words or not words[0][0].isalpha() or not text.isascii():
            raise UsageError(
                f"{text!r} cannot name a filter",
                hint="use letters, digits, - and _, starting with a letter: path-rewrite",
            )
        return cls(words)

    @property
    def kebab(self) -> str:
        """``path-rewrite``."""
        return "-".join(self.words)

    @property
    def snake(self) -> str:
        """``path_rewrite``."""
        return "_".join(self.words)

    @property
    def pascal(self) -> str:
        """``PathRewrite``."""
        return "".join(word.capitalize() for word in self.words)

    @property
    def title(self) -> str:
        """``path rewrite``, for prose."""
        return " ".join(self.words)
