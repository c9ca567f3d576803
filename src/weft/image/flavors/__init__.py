"""The flavors of wasm images, one module each. They do not know each other.

Each module is a ``weft.image.packing.Flavor``. May import: ``weft.image``'s other modules, ``weft.oci``.
"""
