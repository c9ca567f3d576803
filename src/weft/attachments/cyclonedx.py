"""What is in a module: a CycloneDX document (1.6)."""

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from weft.attachments.origin import Origin, Part

if TYPE_CHECKING:
    from cyclonedx.model.component import Component

__all__ = ["get_ready", "sbom"]

# The same origin gives the same document, its serial number included.
_SPACE = uuid.UUID("6f1f7d5e-6d0c-5b1a-9a0e-2f6d7c1b9e54")


def get_ready() -> None:
    """Import what ``sbom`` needs: 80 ms that may pass while a compiler works."""
    import cyclonedx.output.json  # noqa: F401


def sbom(origin: Origin) -> bytes:
    """The document as JSON: the module, the packages its lock file pins, the tools that built it."""
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.model.tool import ToolRepository
    from cyclonedx.output.json import JsonV1Dot6

    module = _module(origin)
    tools = [_component(part) for part in (Part("generic", "weft", origin.weft), *origin.tools)]
    parts = [_component(part) for part in origin.parts]
    bom = Bom(
        serial_number=uuid.uuid5(_SPACE, f"{origin.image_sha256} {origin.parts}"),
        metadata=BomMetaData(
            component=module,
            tools=ToolRepository(components=tools),
            timestamp=datetime.fromtimestamp(origin.seconds, UTC),
        ),
        components=parts,
    )
    bom.register_dependency(module, parts)
    return JsonV1Dot6(bom).output_as_string(indent=2).encode() + b"\n"


def _module(origin: Origin) -> "Component":
    from cyclonedx.contrib.license.factories import LicenseFactory
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.component import Component, ComponentType

    return Component(
        name=origin.name,
        type=ComponentType.APPLICATION,
        version=f"sha256:{origin.image_sha256}",
        description=origin.description or None,
        bom_ref="module",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=origin.module_sha256)],
        licenses=[LicenseFactory().make_from_string(origin.license)] if origin.license else [],
    )


def _component(part: Part) -> "Component":
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    is_tool = part.kind == "generic"
    return Component(
        name=part.name,
        version=part.version,
        type=ComponentType.APPLICATION if is_tool else ComponentType.LIBRARY,
        purl=None if is_tool else PackageURL.from_string(part.purl),
        bom_ref=f"{part.kind}:{part.name}@{part.version}",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=part.sha256)] if part.sha256 else [],
    )
