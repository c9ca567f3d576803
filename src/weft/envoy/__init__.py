"""Find, start, watch and stop a real Envoy.

May import: ``weft.mesh``, ``weft.wasm``, ``weft.base``, ``weft.errors``.
"""
