"""A signature as a value, whatever document it came in, and its judgement.

A signature counts for an image when the signed words name that image's digest *and* one of the keys made
it. Both are looked at here and nowhere else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from weft.oci import Digest
from weft.signing.keys import PublicKey

__all__ = ["Judgement", "Signature", "judge"]


@dataclass(frozen=True, slots=True)
class Signature:
    """Somebody's claim about a digest."""

    source: str
    """Where it was found, for people."""
    subject: Digest
    """What the signed words say was signed."""
    message: bytes = field(repr=False)
    """The very bytes that were signed."""
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Judgement:
    """Which of the keys have signed, and why each other signature does not count."""

    signed_by: frozenset[str]
    reasons: tuple[str, ...]


def judge(digest: Digest, signatures: Iterable[Signature], keys: Mapping[str, PublicKey]) -> Judgement:
    """Look at every signature with every key (name → key)."""
    signed_by: set[str] = set()
    reasons: list[str] = []
    for signature in signatures:
        if signature.subject != digest:
            reasons.append(f"{signature.source} is for {signature.subject}, not for this image")
            continue
        makers = {name for name, key in keys.items() if key.verify(signature.value, signature.message)}
        signed_by |= makers
        if not makers:
            reasons.append(f"{signature.source} was made with none of the keys {', '.join(sorted(keys))}")
    return Judgement(frozenset(signed_by), tuple(reasons))
