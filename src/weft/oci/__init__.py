"""The words of OCI: digests, references, descriptors, manifests. Pure.

May import: ``weft.base``, ``weft.errors``.
"""
