"""Media types of what is attached to an image. Other tools know the first two."""

from typing import Final

__all__ = ["AttachmentType"]


class AttachmentType:
    """Artifact types and the types of the files in them."""

    SBOM: Final = "application/vnd.cyclonedx+json"
    STATEMENT: Final = "application/vnd.in-toto+json"
    PROJECT: Final = "application/vnd.weft.project.v1"
    """What its author wrote beside the source; one layer a file."""

    README: Final = "text/markdown"
    LICENSE: Final = "text/plain"
    SCHEMA: Final = "application/schema+json"
    SCENARIO: Final = "application/vnd.weft.scenario.v1+yaml"

    PREDICATE: Final = "in-toto.io/predicate-type"
    """Annotation of a statement's manifest."""
