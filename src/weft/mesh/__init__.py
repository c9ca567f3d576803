"""From what a user wants to what a proxy is told. Pure.

May import: ``weft.image``, ``weft.project``, ``weft.oci``, ``weft.wasm``, ``weft.base``, ``weft.errors``.
"""
