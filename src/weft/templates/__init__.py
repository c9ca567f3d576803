"""New filter projects, one per language and example: names in, files out. Writing them is the caller's.

A template is a real project that compiles where it stands; ``render`` only puts the user's name in place
of the placeholder's. May import: ``weft.base``, ``weft.errors``.
"""

from weft.templates.rendering import EXAMPLES, LANGUAGES, render

__all__ = ["EXAMPLES", "LANGUAGES", "render"]
