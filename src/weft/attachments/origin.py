"""Where a module comes from, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Origin", "Part", "Revision"]


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """Something that a module was built with, or from."""

    kind: str
    """A purl type: ``cargo``, ``golang``, ``npm``; ``generic`` for compilers and SDKs."""
    name: str
    version: str
    sha256: str = ""
    """Of the package, where the lock file says it."""

    @property
    def purl(self) -> str:
        """The package URL (purl-spec): ``pkg:npm/%40scope/name@1.2.3``."""
        name = self.name.replace("@", "%40") if self.kind == "npm" else self.name
        return f"pkg:{self.kind}/{name}@{self.version}"


@dataclass(frozen=True, slots=True)
class Revision:
    """Where the source was in git."""

    commit: str
    seconds: int
    """When it was committed, since 1970."""
    url: str = ""
    """Of the remote, without any credential in it."""
    changed: bool = False
    """Whether there were changes that no commit has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """All that is known of one module. ``module_sha256`` and ``image_sha256`` are hex digits."""

    name: str
    module_sha256: str
    image: str
    """The reference that the image was given."""
    image_sha256: str
    language: str
    weft: str
    """The version that built it."""
    description: str = ""
    license: str = ""
    options: Mapping[str, object] = field(default_factory=dict)
    """``[build]`` of the project."""
    tools: tuple[Part, ...] = ()
    parts: tuple[Part, ...] = ()
    revision: Revision | None = None
    seconds: int = 0
    """The time that stands in documents: of the commit, or SOURCE_DATE_EPOCH; never the clock's."""
