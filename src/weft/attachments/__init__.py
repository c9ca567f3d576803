"""What travels with an image beside its module: where that comes from, and what is in it. Pure.

``provenance`` is an in-toto statement with SLSA's predicate, ``sbom`` a CycloneDX document, both of the same
bytes for the same ``Origin``. ``read_locked`` reads the lock files of Cargo, Go and npm.

May import: ``weft.base``, ``weft.errors``.
"""

from weft.attachments.cyclonedx import get_ready, sbom
from weft.attachments.locked import LOCK_FILES, read_locked
from weft.attachments.names import AttachmentType
from weft.attachments.origin import Origin, Part, Revision
from weft.attachments.slsa import PREDICATE_TYPE, provenance

__all__ = [
    "LOCK_FILES",
    "PREDICATE_TYPE",
    "AttachmentType",
    "Origin",
    "Part",
    "Revision",
    "get_ready",
    "provenance",
    "read_locked",
    "sbom",
]
