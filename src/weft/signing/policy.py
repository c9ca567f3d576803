"""Which keys an image needs before it may be used.

::

    keys:
      team: team.pub                  # a file beside this one
      release: |                      # or the key itself
        -----BEGIN PUBLIC KEY-----
        …
    identities:                       # signers without a key: sigstore's certificates
      ci: {subject: https://ci.example.com/f, issuer: https://ci.example.com}
    trustedRoot: trusted_root.json    # left out: sigstore's public instance
    rules:                            # the first that matches decides
      - images: hub.example.com/team/**
        allOf: [team, release]
      - images: hub.example.com/*
        anyOf: [team]
      - images: localhost:*/**
        unsigned: true

``*`` stands for anything but a slash, ``**`` for anything. An image that no rule matches is refused.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from weft.base.suggestions import near_key
from weft.base.yaml_reading import careful, check_size
from weft.errors import UsageError
from weft.oci import Digest, Reference
from weft.signing.errors import Unverified
from weft.signing.keyless import Identity, Keyless
from weft.signing.keys import PublicKey
from weft.signing.signature import Judgement, Signature, judge

__all__ = ["Policy", "Rule"]

_PEM = "-----BEGIN"


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What images of one pattern need. Exactly one of the three demands is given."""

    images: str
    all_of: tuple[str, ...] = msgspec.field(default=(), name="allOf")
    any_of: tuple[str, ...] = msgspec.field(default=(), name="anyOf")
    unsigned: bool = False

    def matches(self, reference: Reference) -> bool:
        """Whether this rule speaks of the image's repository."""
        parts = (
            ".*" if part == "**" else "[^/]*" if part == "*" else re.escape(part)
            for part in re.split(r"(\*\*|\*)", self.images)
        )
        return re.fullmatch("".join(parts), reference.name) is not None

    def satisfied_by(self, signed_by: frozenset[str]) -> bool:
        """Whether these signers are enough."""
        if self.unsigned:
            return True
        return signed_by.issuperset(self.all_of) if self.all_of else not signed_by.isdisjoint(self.any_of)

    @property
    def demand(self) -> str:
        """What it asks for, for people."""
        if self.unsigned:
            return "no signature is needed"
        if self.all_of:
            return f"signatures of all of {', '.join(self.all_of)} are needed"
        return f"a signature of one of {', '.join(self.any_of)} is needed"


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rules: tuple[Rule, ...]
    keys: dict[str, str] = {}
    identities: dict[str, Identity] = {}
    trusted_root: str | None = msgspec.field(default=None, name="trustedRoot")


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules, and the keys they name."""

    keys: Mapping[str, PublicKey]
    rules: tuple[Rule, ...]
    identities: Mapping[str, Identity] = field(default_factory=dict)
    keyless: Keyless = field(default_factory=Keyless)

    @classmethod
    def parse(cls, text: str, read: Callable[[str], bytes], *, where: str) -> "Policy":
        """Read a policy file; ``read`` gives the content of a key file it names.

        Raises ``UsageError`` with the key of the document that is wrong.
        """
        import yaml

        try:
            check_size(text)
            document = msgspec.convert(yaml.load(text, careful()), _Document)  # noqa: S506 - it is a safe one
        except yaml.YAMLError as error:
            raise UsageError(f"{where} is not YAML: {' '.join(str(error).split())}") from error
        except msgspec.ValidationError as error:
            raise UsageError(f"{where}: {error}", hint=near_key(error, _Document)) from error
        keys = {
            name: PublicKey.load(
                value.encode() if _PEM in value else read(value), where=f"{where}: key {name}"
            )
            for name, value in document.keys.items()
        }
        for number, rule in enumerate(document.rules):
            _check(rule, {*keys, *document.identities}, f"{where}: rules[{number}]")
        if twice := keys.keys() & document.identities.keys():
            raise UsageError(f"{where}: {min(twice)} is a key and an identity")
        root = document.trusted_root
        keyless = Keyless(read(root), where=f"{where}: {root}") if root else Keyless()
        return cls(keys, document.rules, document.identities, keyless)

    @classmethod
    def of_keys(cls, keys: Mapping[str, PublicKey]) -> "Policy":
        """Every image needs a signature of one of ``keys`` (name → key)."""
        return cls(keys, (Rule(images="**", any_of=tuple(keys)),))

    @classmethod
    def of_identity(cls, identity: Identity, keyless: Keyless) -> "Policy":
        """Every image needs a signature of ``identity``, by what ``keyless`` believes."""
        name = str(identity)
        return cls({}, (Rule(images="**", any_of=(name,)),), {name: identity}, keyless)

    def check(
        self,
        reference: Reference,
        digest: Digest,
        signatures: Iterable[Signature],
        *,
        unread: Sequence[str] = (),
    ) -> Judgement:
        """What was found, when that is enough; raises ``Unverified`` with every reason when not.

        ``unread`` says why further signatures could not even be read; they count for nothing.
        """
        rule = next((rule for rule in self.rules if rule.matches(reference)), None)
        if rule is None:
            raise Unverified(f"{reference} is refused: no rule of the policy is about {reference.name}")
        judgement = judge(digest, signatures, self.keys, self.identities, self.keyless)
        if not rule.satisfied_by(judgement.signed_by):
            found = ", ".join(sorted(judgement.signed_by)) or "nobody"
            raise Unverified(
                f"{reference} is refused: {rule.demand}, and {found} has signed {digest}",
                detail="\n".join((*judgement.reasons, *unread)) or "it has no signatures",
            )
        return judgement


def _check(rule: Rule, names: set[str], where: str) -> None:
    if sum(map(bool, (rule.all_of, rule.any_of, rule.unsigned))) != 1:
        raise UsageError(f"{where} must have exactly one of allOf, anyOf and unsigned: true")
    if unknown := set(rule.all_of + rule.any_of) - names:
        raise UsageError(
            f"{where} names keys that are not in `keys` or `identities`: {', '.join(sorted(unknown))}"
        )
