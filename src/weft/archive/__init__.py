"""An image in one file: an OCI image layout in a tar archive, for places without a network.

``ArchiveReader`` gives manifests and blobs out of an archive, every byte checked; ``ArchiveWriter`` makes
one, whole or not at all, the same bytes for the same content. skopeo (``oci-archive:``), ORAS, containerd and
docker read what it writes.

May import: ``weft.oci``, ``weft.base``, ``weft.errors``.
"""

from weft.archive.errors import ArchiveInvalid
from weft.archive.reader import ArchiveReader
from weft.archive.writer import ArchiveWriter

__all__ = ["ArchiveInvalid", "ArchiveReader", "ArchiveWriter"]
