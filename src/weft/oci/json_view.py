"""Read JSON from outside: limits first, then values of the right kind, with the place of every mistake.

A ``JsonView`` is a value and where it stands: ``manifest: layers[0].size must be a whole number``.
``null`` counts as absent, as in Go's decoders, which most registries and clients are written with.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from weft.oci.errors import DigestInvalid, DocumentInvalid

__all__ = ["MAX_DEPTH", "JsonView", "compact_json"]

# The deepest document of the specifications (an index entry's platform features) has five levels.
MAX_DEPTH = 32
_MAX_SHOWN = 40
_SURROGATE = re.compile("[\ud800-\udfff]")
# Go's encoder writes these so; the bytes, and so the digests, of what wasme wrote depend on it.
_GO_ESCAPES = str.maketrans(
    {"<": r"\u003c", ">": r"\u003e", "&": r"\u0026", "\u2028": r"\u2028", "\u2029": r"\u2029"}
)


def compact_json(value: Any) -> bytes:
    """``value`` as Go's ``json.Marshal`` writes it: no spaces, keys in the order given, UTF-8."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.translate(_GO_ESCAPES).encode()


@dataclass(frozen=True, slots=True)
class JsonView:
    """A JSON value of the document called ``document``, at ``path`` in it."""

    value: Any
    document: str
    path: str = ""

    @classmethod
    def parse(cls, raw: bytes, *, document: str, limit: int) -> "JsonView":
        """Decode ``raw``, which must be a JSON object of at most ``limit`` bytes and ``MAX_DEPTH`` levels."""
        view = cls(None, document)
        if len(raw) > limit:
            view.wrong(f"is larger than {limit} bytes")
        try:
            value = json.loads(raw.decode(), parse_constant=_refuse_constant)
        except UnicodeDecodeError as error:
            raise DocumentInvalid(f"{document} is not UTF-8 at byte {error.start}") from error
        except json.JSONDecodeError as error:
            raise DocumentInvalid(f"{document} is not JSON: {error}") from error
        except ValueError as error:  # a number of absurd length, or NaN
            raise DocumentInvalid(f"{document} is not JSON: it has a number that is none") from error
        except RecursionError as error:
            raise DocumentInvalid(f"{document} is nested deeper than {MAX_DEPTH} levels") from error
        if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and _deeper_than(MAX_DEPTH, value):
            view.wrong(f"is nested deeper than {MAX_DEPTH} levels")
        if not isinstance(value, dict):
            view.wrong("must be a JSON object")
        return cls(value, document)

    def wrong(self, complaint: str) -> NoReturn:
        """Raise ``DocumentInvalid`` with this place and ``complaint``; a terminal may show it as it is."""
        text = f"{self.document}: {self.path} {complaint}" if self.path else f"{self.document} {complaint}"
        raise DocumentInvalid(text if text.isprintable() else text.encode("unicode_escape").decode())

    def get(self, *keys: str) -> "JsonView":
        """The member called by the first of ``keys`` that is there; a view of ``None`` when none is."""
        members = self.members()
        for key in keys:
            if members.get(key) is not None:
                break
        else:
            key = keys[0]
        return JsonView(members.get(key), self.document, f"{self.path}.{key}" if self.path else key)

    def __bool__(self) -> bool:
        """Whether there is a value at all."""
        return self.value is not None

    def members(self) -> dict[str, Any]:
        """The object's members; none when absent."""
        if self.value is None:
            return {}
        if not isinstance(self.value, dict):
            self._kind("an object")
        return self.value

    def items(self, *, limit: int) -> Iterator["JsonView"]:
        """The array's elements, at most ``limit``; none when absent."""
        if self.value is None:
            return
        if not isinstance(self.value, list):
            self._kind("an array")
        if len(self.value) > limit:
            self.wrong(f"has {len(self.value)} entries, more than {limit}")
        for number, value in enumerate(self.value):
            yield JsonView(value, self.document, f"{self.path}[{number}]")

    def text(self, default: str | None = None) -> str:
        """The string; ``default`` when absent and one is given."""
        if self.value is None and default is not None:
            return default
        if not isinstance(self.value, str):
            self._kind("a string")
        if not self.value.isascii() and _SURROGATE.search(self.value):
            self.wrong("has half of a surrogate pair")
        return self.value

    def texts(self) -> dict[str, str]:
        """An object whose members are strings (annotations); empty when absent."""
        members = self.members()
        if all(isinstance(value, str) and value.isascii() for value in members.values()):
            return dict(members)  # nearly always, and much faster
        return {key: self.get(key).text("") for key in members}

    def integer(self) -> int:
        """The whole number, zero or more and no larger than 64 bits hold."""
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            self._kind("a whole number")
        if not 0 <= self.value < 2**63:
            self.wrong(f"is out of range: {str(self.value)[:_MAX_SHOWN]}")
        return self.value

    def digest_error(self, error: DigestInvalid) -> NoReturn:
        """Raise ``DocumentInvalid`` for a digest that stands here."""
        raise DocumentInvalid(f"{self.document}: {self.path}: {error}") from error

    def _kind(self, kind: str) -> NoReturn:
        if self.value is None:
            self.wrong("is missing")
        shown = json.dumps(self.value)[:_MAX_SHOWN]
        self.wrong(f"must be {kind}, got {shown}")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _deeper_than(levels: int, value: Any) -> bool:
    level = [value]
    for _ in range(levels):
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True
