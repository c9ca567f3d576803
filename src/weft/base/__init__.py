"""Helpers that know nothing of filters: files, documents, processes, names.

Each could be a library of its own. May import: the standard library, ``weft.errors`` and, in ``documents``,
the YAML reader. Every module here may be imported by name from anywhere.
"""
