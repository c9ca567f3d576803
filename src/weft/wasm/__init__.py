"""Read WebAssembly modules without an engine, and know what proxy-wasm and Envoy ask of them. Pure.

May import: ``weft.base``, ``weft.errors``.
"""
