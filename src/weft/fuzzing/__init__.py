"""Scenarios that nobody wrote, and the smallest of those that show the same. Pure.

``learn`` gathers what a project's own scenarios and the schema of its configuration say; ``generate`` makes
cases of it, the same for the same seed; ``minimise`` takes away from a case what it does not need.

May import: ``weft.scenario``, ``weft.errors``.
"""

from weft.fuzzing.generating import generate
from weft.fuzzing.shrinking import Fails, minimise, weight
from weft.fuzzing.vocabulary import Vocabulary, learn

__all__ = ["Fails", "Vocabulary", "generate", "learn", "minimise", "weight"]
