"""Wasm images in three flavors: pack a module, unpack what others packed. Pure.

May import: ``weft.oci``, ``weft.wasm``, ``weft.base``, ``weft.errors``.
"""
