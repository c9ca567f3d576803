"""The local store of images: an OCI image layout on disk that any OCI tool reads.

Promises: a name always leads to whole content; several processes may work at once; a process killed at
any moment leaves a valid store; every byte is checked against its digest when it is read; one broken
image stands in nobody's way. Content is deleted by ``prune`` alone.

A registry client streams through ``has_blob``, ``open_blob`` and ``new_blob`` and names the result with
``keep``, all inside ``adding``.

May import: ``weft.image``, ``weft.oci``, ``weft.base``, ``weft.errors``.
"""

from weft.store.blobs import BlobWriter
from weft.store.entries import Entry, ModuleBlob
from weft.store.errors import BlobDamaged, StoreError
from weft.store.pruning import Freed
from weft.store.store import Store

__all__ = ["BlobDamaged", "BlobWriter", "Entry", "Freed", "ModuleBlob", "Store", "StoreError"]
