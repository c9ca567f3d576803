"""Which images a node should have: one reference a line, as wasme's ``images.txt`` has them."""

from dataclasses import dataclass

from weft.errors import WeftError
from weft.oci import Reference

__all__ = ["MAX_LIST_BYTES", "Wanted", "read_wanted"]

# A ConfigMap holds no more.
MAX_LIST_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Wanted:
    """The references, each once, and what is wrong with the other lines."""

    references: tuple[Reference, ...] = ()
    problems: tuple[str, ...] = ()


def read_wanted(text: str, *, where: str) -> Wanted:
    """Read a list. Empty lines and ``#`` comments do not count; a bad line does not spoil the others."""
    references: dict[Reference, None] = {}
    problems: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition("#")[0].strip()
        if not words:
            continue
        try:
            references[Reference.parse(words)] = None
        except WeftError as error:
            problems.append(f"{where}: line {number}: {error}")
    return Wanted(tuple(references), tuple(problems))
