"""``weft.toml``, the project file of a filter, as a value. Pure: callers read the file.

May import: ``weft.base``, ``weft.errors``.
"""

from weft.project.budgets import Budgets, Limit
from weft.project.project import LANGUAGES, ConfigSection, Project

__all__ = ["LANGUAGES", "Budgets", "ConfigSection", "Limit", "Project"]
