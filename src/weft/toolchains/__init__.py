"""Compilers: find them, fetch them, turn a project folder into a module.

May import: ``weft.project``, ``weft.base``, ``weft.errors``.
"""

from weft.toolchains.language import Execute, Job, Language

__all__ = ["Execute", "Job", "Language"]
