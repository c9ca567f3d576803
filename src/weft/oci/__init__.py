"""The words of OCI: digests, references, descriptors, manifests. Pure.

Bytes are kept: a parsed manifest is a view, its digest is of what arrived. Everything from outside has a
limit, and a mistake in it is a ``DocumentInvalid`` that names the place. Names that people type are
checked as docker checks them.

May import: ``weft.base``, ``weft.errors``.
"""

from weft.oci.descriptor import Descriptor, Platform
from weft.oci.digest import Digest
from weft.oci.errors import DigestInvalid, DocumentInvalid, ReferenceInvalid
from weft.oci.json_view import JsonView, compact_json
from weft.oci.manifest import (
    MAX_MANIFEST_BYTES,
    Index,
    Manifest,
    parse_manifest,
)
from weft.oci.names import Annotation, MediaType
from weft.oci.reference import DEFAULT_TAG, Reference

__all__ = [
    "DEFAULT_TAG",
    "MAX_MANIFEST_BYTES",
    "Annotation",
    "Descriptor",
    "Digest",
    "DigestInvalid",
    "DocumentInvalid",
    "Index",
    "JsonView",
    "Manifest",
    "MediaType",
    "Platform",
    "Reference",
    "ReferenceInvalid",
    "compact_json",
    "parse_manifest",
]
