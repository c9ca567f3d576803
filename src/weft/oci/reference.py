"""The name of an image: ``registry/repository[:tag][@digest]``.

Short names grow as docker grows them (distribution/reference "ParseNormalizedNamed")::

    add-header                          docker.io/library/add-header:latest
    team/add-header:v1                  docker.io/team/add-header:v1
    localhost:8080/taco/tuesdays:v1     as it is
    hub.example.com/add-header          hub.example.com/add-header:latest
    hub.example.com/f:v1@sha256:5643…   as it is: the tag is kept for people, the digest decides

A digest is never dropped. What comes before the first ``/`` is a registry when it has a dot or a colon, or
is ``localhost``.
"""

import re
from dataclasses import dataclass, replace

from weft.oci.digest import Digest
from weft.oci.errors import DigestInvalid, ReferenceInvalid

__all__ = ["DEFAULT_REGISTRY", "DEFAULT_TAG", "Reference"]

DEFAULT_REGISTRY = "docker.io"
DEFAULT_TAG = "latest"

# distribution-spec: many implementations refuse a longer registry plus repository.
MAX_NAME_LENGTH = 255
MAX_TAG_LENGTH = 128
# A longest name, tag and sha512 digest fit; more is no reference, whatever it is.
_MAX_LENGTH = 1024

_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_REGISTRY = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?")
_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.ASCII)
_BARE_HEX = re.compile(r"[0-9a-f]{64}")
_SCHEME = re.compile(r"[a-z]+://")


@dataclass(frozen=True, slots=True)
class Reference:
    """A full name; at least one of ``tag`` and ``digest`` is there. Build it with ``parse``."""

    registry: str
    repository: str
    tag: str | None = None
    digest: Digest | None = None

    @classmethod
    def parse(cls, text: str) -> "Reference":
        """Read what a person types and fill in docker's defaults.

        Raises ``ReferenceInvalid`` with the part that is wrong.
        """
        if not text:
            raise ReferenceInvalid("an image reference is empty", hint="write registry/team/filter:tag")
        if len(text) > _MAX_LENGTH:
            raise ReferenceInvalid(f"an image reference is longer than {_MAX_LENGTH} characters")
        if scheme := _SCHEME.match(text):
            raise ReferenceInvalid(
                f"{text!r} is a URL, not an image reference", hint=f"leave out {scheme.group()}"
            )
        rest, at, digest_text = text.partition("@")
        digest = _digest(text, digest_text) if at else None
        name, tag = _split_tag(rest)
        if tag is None and digest is None:
            tag = DEFAULT_TAG
        registry, repository = _split_registry(name)
        _check(text, registry, repository, tag)
        return cls(registry, repository, tag, digest)

    @property
    def name(self) -> str:
        """``registry/repository``, without tag and digest."""
        return f"{self.registry}/{self.repository}"

    @property
    def suffix(self) -> str:
        """``:tag``, ``@digest`` or both: all that comes after the name."""
        tag = f":{self.tag}" if self.tag is not None else ""
        digest = f"@{self.digest}" if self.digest is not None else ""
        return tag + digest

    def pinned(self, digest: Digest) -> "Reference":
        """The same name and tag at exactly this content."""
        return replace(self, digest=digest)

    def __str__(self) -> str:
        return self.name + self.suffix


def _digest(text: str, digest_text: str) -> Digest:
    try:
        return Digest.parse(digest_text)
    except DigestInvalid as error:
        raise ReferenceInvalid(f"image reference {text!r}: {error}", hint=error.hint) from error


def _split_tag(text: str) -> tuple[str, str | None]:
    """A colon after the last slash starts a tag; one before it belongs to a port."""
    head, colon, tag = text.rpartition(":")
    if not colon or "/" in tag:
        return text, None
    return head, tag


def _split_registry(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    is_registry = first == "localhost" or "." in first or ":" in first
    if not slash or not is_registry:
        first, rest = DEFAULT_REGISTRY, name
    if first == "index.docker.io":
        first = DEFAULT_REGISTRY
    if first == DEFAULT_REGISTRY and "/" not in rest:
        rest = f"library/{rest}"
    return first, rest


def _check(text: str, registry: str, repository: str, tag: str | None) -> None:
    where = f"image reference {text!r}"
    if _BARE_HEX.fullmatch(text):
        raise ReferenceInvalid(
            f"{where} is a bare hex digest, not a name", hint=f"write name@sha256:{text[:8]}…"
        )
    if not _REGISTRY.fullmatch(registry):
        raise ReferenceInvalid(f"{where}: {registry!r} is not a registry host")
    for component in repository.split("/"):
        if not component:
            raise ReferenceInvalid(f"{where}: the repository name has an empty part")
        if component != component.lower() and _COMPONENT.fullmatch(component.lower()):
            raise ReferenceInvalid(
                f"{where}: the repository name must be lower case", hint=f"write {component.lower()}"
            )
        if not _COMPONENT.fullmatch(component):
            raise ReferenceInvalid(
                f"{where}: {component!r} cannot be part of a repository name",
                hint="a-z and 0-9, joined by one of . _ __ or by -",
            )
    if len(registry) + 1 + len(repository) > MAX_NAME_LENGTH:
        raise ReferenceInvalid(f"{where}: the name is longer than {MAX_NAME_LENGTH} characters")
    if tag is not None and not _TAG.fullmatch(tag):
        raise ReferenceInvalid(
            f"{where}: {tag!r} cannot be a tag", hint="letters, digits, _ . and -, not starting with . or -"
        )
    if tag is not None and len(tag) > MAX_TAG_LENGTH:
        raise ReferenceInvalid(f"{where}: the tag is longer than {MAX_TAG_LENGTH} characters")
