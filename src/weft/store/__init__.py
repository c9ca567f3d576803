"""The local store of images: an OCI image layout on disk.

May import: ``weft.image``, ``weft.oci``, ``weft.base``, ``weft.errors``.
"""
