"""The fields of ``weft.toml`` and their checks.

::

    [filter]
    name = "path-rewrite"
    language = "cpp"                    # assemblyscript | cpp | go | rust
    root_id = "path_rewrite"
    description = "Rewrites request paths"
    license = "Apache-2.0"

    [config]
    schema = "config.schema.json"       # relative to the project
    default = {name = "hello", value = "world"}

    [build]                             # options of the language's toolchain

    [budgets]                           # what it may cost at most, see weft.project.budgets

Unknown keys are refused by name: a misspelt key must not be silently ignored.
"""

from typing import Any

import msgspec

from weft.base.suggestions import near_key
from weft.errors import UsageError
from weft.project.budgets import Budgets

__all__ = ["LANGUAGES", "ConfigSection", "Project"]

LANGUAGES = ("assemblyscript", "cpp", "go", "rust")


class ConfigSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[config]``: what ``on_configure`` receives when nobody says otherwise."""

    schema: str | None = None
    default: Any = None


class _FilterSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    language: str
    root_id: str = ""
    description: str = ""
    license: str = ""
    abi_versions: tuple[str, ...] = ()


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    filter: _FilterSection
    config: ConfigSection = ConfigSection()
    build: dict[str, Any] = {}
    budgets: Budgets = Budgets()


class Project(msgspec.Struct, frozen=True):
    """A filter's project, checked."""

    name: str
    language: str
    root_id: str
    description: str
    license: str
    abi_versions: tuple[str, ...]
    """Names of wasme's ABI registry for ``runtime-config.json``; empty means: read it off the module."""
    config: ConfigSection
    build: dict[str, Any]
    budgets: Budgets = Budgets()

    @classmethod
    def parse(cls, text: str, *, where: str) -> "Project":
        """Read the text of a ``weft.toml``; ``where`` names the file in errors.

        Raises ``UsageError`` with the line or the key that is wrong.
        """
        try:
            document = msgspec.toml.decode(text.removeprefix("\ufeff"), type=_Document)
        except msgspec.DecodeError as error:
            raise UsageError(f"{where}: {error}", hint=near_key(error, _Document)) from error
        except RecursionError as error:
            raise UsageError(f"{where} is nested too deeply") from error
        head = document.filter
        document.budgets.limits(where=f"{where}: budgets")
        if head.language not in LANGUAGES:
            raise UsageError(
                f"{where}: filter.language is {head.language!r}; it must be one of {', '.join(LANGUAGES)}"
            )
        return cls(
            name=head.name,
            language=head.language,
            root_id=head.root_id or head.name.replace("-", "_"),
            description=head.description,
            license=head.license,
            abi_versions=head.abi_versions,
            config=document.config,
            build=document.build,
            budgets=document.budgets,
        )
