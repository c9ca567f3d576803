"""The name of content: an algorithm and what it makes of the bytes (image-spec, descriptor.md "Digests")."""

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from weft.oci.errors import DigestInvalid

if TYPE_CHECKING:
    from hashlib import _Hash

__all__ = ["Digest"]

_HEX_LENGTH = {"sha256": 64, "sha512": 128}
_HEX = re.compile(r"[0-9a-f]+")
_SHORT = 8
_MAX_SHOWN = 80


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """``sha256:<64 hex digits>`` or ``sha512:<128 hex digits>``, lower case; nothing else is a digest."""

    algorithm: str
    hex: str

    def __post_init__(self) -> None:
        length = _HEX_LENGTH.get(self.algorithm)
        if length is None:
            raise DigestInvalid(
                f"digest algorithm {self.algorithm[:_MAX_SHOWN]!r} is not known",
                hint="sha256 and sha512 are",
            )
        if len(self.hex) != length or not _HEX.fullmatch(self.hex):
            raise DigestInvalid(
                f"a {self.algorithm} digest has {length} lower-case hex digits, not {self.hex[:_MAX_SHOWN]!r}"
            )

    @classmethod
    def parse(cls, text: str) -> "Digest":
        """Read ``algorithm:hex``; raises ``DigestInvalid``."""
        algorithm, colon, digits = text.partition(":")
        if not colon:
            raise DigestInvalid(
                f"not a digest: {text[:_MAX_SHOWN]!r}", hint="a digest looks like sha256:5643b1ce…"
            )
        return cls(algorithm, digits)

    @classmethod
    def of(cls, data: bytes, algorithm: str = "sha256") -> "Digest":
        """The digest of ``data``."""
        return cls(algorithm, hashlib.new(algorithm, data).hexdigest())

    @property
    def short(self) -> str:
        """The first eight hex digits, for tables."""
        return self.hex[:_SHORT]

    def hasher(self) -> "_Hash":
        """A fresh hash object of this algorithm, to be fed with ``update``."""
        return hashlib.new(self.algorithm)

    def matches(self, hasher: "_Hash") -> bool:
        """Whether what ``hasher`` was fed is the content this digest names."""
        return hasher.hexdigest() == self.hex

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"
