"""Where a module comes from: an image in a registry, a file on a web server, a file beside the proxy."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from weft.errors import UsageError, WeftError
from weft.oci import Digest, Reference

__all__ = ["ImageUrl"]

_SCHEMES = ("oci", "http", "https", "file")


@dataclass(frozen=True, slots=True)
class ImageUrl:
    """``spec.image``. For ``oci`` the digest is the manifest's, otherwise the module's."""

    scheme: Literal["oci", "http", "https", "file"]
    location: str
    """The reference without scheme and digest, or the URL without digest."""
    digest: Digest | None = None

    @classmethod
    def parse(cls, text: str) -> "ImageUrl":
        """Read what a user writes; raises ``UsageError`` (``ReferenceInvalid`` for a bad reference)."""
        scheme, colon, rest = text.partition("://")
        if not colon:
            scheme, rest = "oci", text
        if scheme == "oci":
            reference = Reference.parse(rest)
            tag = f":{reference.tag}" if reference.tag is not None else ""
            return cls("oci", reference.name + tag, reference.digest)
        if scheme not in _SCHEMES:
            raise UsageError(f"{text!r}: {scheme}:// is not one of {', '.join(f'{s}://' for s in _SCHEMES)}")
        location, at, digest = text.rpartition("@sha256:")
        return cls._elsewhere(scheme, location if at else text, Digest("sha256", digest) if at else None)

    @classmethod
    def _elsewhere(cls, scheme: str, location: str, digest: Digest | None) -> "ImageUrl":
        parts = urlsplit(location)
        if scheme == "file" and (parts.netloc or not parts.path.strip("/")):
            raise UsageError(f"{location!r} must be file:// and an absolute path", hint="file:///opt/f.wasm")
        if scheme != "file" and not parts.hostname:
            raise UsageError(f"{location!r} names no host")
        found: Literal["http", "https", "file"]
        found = "file" if scheme == "file" else "http" if scheme == "http" else "https"
        return cls(found, location, digest)

    @classmethod
    def problem(cls, text: str) -> str | None:
        """What is wrong with ``text``, or ``None``."""
        try:
            cls.parse(text)
        except (WeftError, ValueError) as error:
            return str(error)
        return None

    @property
    def reference(self) -> Reference:
        """The image's name in its registry; only for ``oci``."""
        return Reference.parse(self.location if self.digest is None else f"{self.location}@{self.digest}")

    def __str__(self) -> str:
        scheme = "oci://" if self.scheme == "oci" else ""
        return f"{scheme}{self.location}{f'@{self.digest}' if self.digest else ''}"
