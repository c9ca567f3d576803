"""Decide whether an image may be used, and name exactly what was decided about.

A tag is resolved once, here. Everything after uses the digest: the signatures are looked for under it, and
whoever asked gets a reference with it, so that what was verified is what is used.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weft.oci import DEFAULT_TAG, Digest, Reference
from weft.registry import Registries
from weft.signing import Policy
from weft.store import Store
from weft.workflows.images.contents import Judge, Source
from weft.workflows.images.registries import open_registries
from weft.workflows.signatures.lookup import find_signatures

__all__ = ["Verified", "judge_by", "stored_admission", "verified", "verify"]


@dataclass(frozen=True, slots=True)
class Verified:
    """An image that the policy lets pass."""

    asked: Reference
    digest: Digest
    """Of the very manifest, or index, that was judged."""
    signed_by: tuple[str, ...]
    """The policy's names of the keys, sorted; none when the policy asks for none."""

    @property
    def reference(self) -> Reference:
        """What was asked for, pinned; the tag stays for people, the digest decides."""
        return self.asked.pinned(self.digest)

    @property
    def pinned(self) -> str:
        """``name@digest``: every program understands it."""
        return f"{self.asked.name}@{self.digest}"

    def document(self) -> dict[str, Any]:
        """What ``weft verify -o json`` shows.

        ::

            {"reference": "hub.example.com/f:v1",            // as it was asked for
             "pinned": "hub.example.com/f@sha256:…",         // what was verified
             "digest": "sha256:…",
             "signedBy": ["team"]}                           // the names of the keys
        """
        return {
            "reference": str(self.asked),
            "pinned": self.pinned,
            "digest": str(self.digest),
            "signedBy": list(self.signed_by),
        }


async def verify(registries: Registries, reference: Reference, policy: Policy) -> Verified:
    """Resolve ``reference`` and judge its signatures.

    Raises ``Unverified`` with every reason, ``NotFound``, or what the registry raises.
    """
    repository = registries.repository(reference.registry, reference.repository)
    # The manifest itself, not what a HEAD claims: its digest is computed here from its bytes.
    manifest = await repository.manifest(reference.digest or reference.tag or DEFAULT_TAG)
    return await _judged(repository, reference, manifest.digest, policy)


async def _judged(source: Source, reference: Reference, digest: Digest, policy: Policy) -> Verified:
    found = await find_signatures(source, digest)
    judgement = policy.check(reference, digest, found.signatures, unread=found.problems)
    return Verified(reference, digest, tuple(sorted(judgement.signed_by)))


def judge_by(policy: Policy) -> Judge:
    """Lets pass what ``policy`` does; raises ``Unverified`` with every reason."""

    async def judge(source: Source, reference: Reference, digest: Digest) -> None:
        await _judged(source, reference, digest, policy)

    return judge


def stored_admission(
    store: Path, policy: Policy, env: Mapping[str, str]
) -> Callable[[Reference], Awaitable[Reference]]:
    """Pins references of images of the store to what is there now, when ``policy`` lets it pass.

    The store keeps no signatures: they are looked for in the image's registry, under the stored digest.
    """

    async def admit(reference: Reference) -> Reference:
        digest = Store(store).find(reference).digest
        async with open_registries(env, ()) as registries:
            repository = registries.repository(reference.registry, reference.repository)
            await _judged(repository, reference, digest, policy)
        return reference.pinned(digest)

    return admit


async def verified(registries: Registries, reference: Reference, policy: Policy) -> Reference:
    """``reference`` pinned to what ``policy`` lets pass: use this, and no longer ``reference``.

    Raises what ``verify`` raises.
    """
    return (await verify(registries, reference, policy)).reference
