"""New filter projects, one per language and example.

May import: ``weft.project``, ``weft.base``, ``weft.errors``.
"""
