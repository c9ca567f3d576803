"""A pointer to content: what kind, which bytes, how many (image-spec, descriptor.md)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from weft.errors import UsageError
from weft.oci.digest import Digest
from weft.oci.errors import DigestInvalid
from weft.oci.json_view import JsonView

__all__ = ["Descriptor", "Platform"]


@dataclass(frozen=True, slots=True)
class Platform:
    """The machine that an index entry is for; ``wasm`` images say ``wasi/wasm`` or ``linux/amd64``."""

    os: str
    architecture: str
    variant: str = ""

    @classmethod
    def parse(cls, text: str) -> "Platform":
        """Read ``os/architecture[/variant]``; raises ``UsageError``."""
        parts = text.split("/")
        if len(parts) not in {2, 3} or not all(parts):
            raise UsageError(f"{text!r} is no platform", hint="write os/architecture, as in linux/amd64")
        return cls(*parts)

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


@dataclass(frozen=True, slots=True)
class Descriptor:
    """``media_type`` is what the writer claimed; ``digest`` and ``size`` are what a reader must check."""

    media_type: str
    digest: Digest
    size: int
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)
    artifact_type: str = ""
    platform: Platform | None = None

    @classmethod
    def of(cls, media_type: str, data: bytes, annotations: Mapping[str, str] | None = None) -> "Descriptor":
        """The descriptor of ``data``."""
        return cls(media_type, Digest.of(data), len(data), annotations or {})

    @classmethod
    def read(cls, view: JsonView) -> "Descriptor":
        """Read a descriptor that stands in a document; raises ``DocumentInvalid``."""
        digest = view.get("digest")
        try:
            parsed = Digest.parse(digest.text())
        except DigestInvalid as error:
            digest.digest_error(error)
        return cls(
            media_type=view.get("mediaType").text(""),
            digest=parsed,
            size=view.get("size").integer(),
            annotations=view.get("annotations").texts(),
            artifact_type=view.get("artifactType").text(""),
            platform=_platform(view.get("platform")),
        )

    def to_json(self) -> dict[str, Any]:
        """The members in the order Go's image-spec writes them, absent ones left out."""
        document: dict[str, Any] = {
            "mediaType": self.media_type,
            "digest": str(self.digest),
            "size": self.size,
        }
        if self.annotations:
            document["annotations"] = dict(sorted(self.annotations.items()))
        if self.platform:
            document["platform"] = _platform_json(self.platform)
        if self.artifact_type:
            document["artifactType"] = self.artifact_type
        return document


def _platform(view: JsonView) -> Platform | None:
    if not view:
        return None
    return Platform(view.get("os").text(""), view.get("architecture").text(""), view.get("variant").text(""))


def _platform_json(platform: Platform) -> dict[str, str]:
    document = {"architecture": platform.architecture, "os": platform.os}
    return document | ({"variant": platform.variant} if platform.variant else {})
