"""What is known of a module beside its bytes: where it comes from, what is in it, what its author says. Pure.

``provenance`` is an in-toto statement with SLSA's predicate, ``sbom`` a CycloneDX document, both of the same
bytes for the same facts. ``locked`` reads the lock files of Cargo, Go and npm.

May import: ``weft.base``, ``weft.errors``.
"""

from weft.facts.bill import get_ready, sbom
from weft.facts.facts import Facts, Part, Revision
from weft.facts.locked import LOCK_FILES, read_locked
from weft.facts.names import FactType
from weft.facts.statement import provenance

__all__ = [
    "LOCK_FILES",
    "FactType",
    "Facts",
    "Part",
    "Revision",
    "get_ready",
    "provenance",
    "read_locked",
    "sbom",
]
