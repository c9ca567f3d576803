"""A signature as a value, whatever document it came in, and its judgement.

A signature counts for an image when the signed words name that image's digest *and* one of the keys made
it. Both are looked at here and nowhere else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from weft.oci import Digest
from weft.signing.errors import SignatureInvalid
from weft.signing.keyless import Identity, Keyless
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
    bundle: bytes = field(default=b"", repr=False)
    """The whole bundle it came in, when a certificate made it and no key that anybody keeps."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Which of the keys have signed, and why each other signature does not count."""

    signed_by: frozenset[str]
    reasons: tuple[str, ...]


def judge(
    digest: Digest,
    signatures: Iterable[Signature],
    keys: Mapping[str, PublicKey],
    identities: Mapping[str, Identity] = MappingProxyType({}),
    keyless: Keyless | None = None,
) -> Judgement:
    """Look at every signature with every key, or identity (name → key, name → identity).

    Raises what ``Keyless.check`` does, but for a signature that is not right.
    """
    signed_by: set[str] = set()
    reasons: list[str] = []
    for signature in signatures:
        if signature.subject != digest:
            reasons.append(f"{signature.source} is for {signature.subject}, not for this image")
            continue
        if signature.bundle:
            found, why = _identified(signature, identities, keyless or Keyless())
            signed_by |= found
            reasons += why
            continue
        makers = {name for name, key in keys.items() if key.verify(signature.value, signature.message)}
        signed_by |= makers
        if not makers:
            known = f"none of the keys {', '.join(sorted(keys))}" if keys else "a key, and no key is known"
            reasons.append(f"{signature.source} was made with {known}")
    return Judgement(frozenset(signed_by), tuple(reasons))


def _identified(
    signature: Signature, identities: Mapping[str, Identity], keyless: Keyless
) -> tuple[set[str], list[str]]:
    """The names of those who made a signature, and why it is not another's when it is nobody's."""
    makers, reasons = set[str](), list[str]()
    for name, identity in identities.items():
        try:
            keyless.check(signature.bundle, signature.message, identity)
        except SignatureInvalid as error:
            reasons.append(f"{signature.source} is not by {name}: {error}")
        else:
            makers.add(name)
    if not identities:
        reasons.append(f"{signature.source} was made without a key, and no identity is known")
    return makers, [] if makers else reasons
