"""Which scenarios a project has: the YAML files under ``tests/``, in the order of their names."""

from pathlib import Path
from typing import Any

from weft.base.files import os_errors_as, read_limited
from weft.errors import NotFound, UsageError
from weft.scenario import Case, parse, schema

__all__ = ["read_cases", "scenario_schema"]

_FOLDER = "tests"
_MOST_BYTES = 16 * 1024 * 1024


def read_cases(folder: Path, name: str) -> tuple[list[Case], int]:
    """The cases whose names contain ``name``, and how many others there are.

    Raises ``NotFound`` where there is none, ``UsageError`` for one that is wrong.
    """
    cases = [case for path in _files(folder) for case in _read(path, folder)]
    chosen = [case for case in cases if name.lower() in case.name.lower()]
    if not chosen:
        raise NotFound(f"no scenario's name contains {name!r}", hint="weft test without -k runs all")
    return chosen, len(cases) - len(chosen)


def scenario_schema() -> dict[str, Any]:
    """The JSON Schema of the files of scenarios."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema()}


def _files(folder: Path) -> list[Path]:
    tests = folder / _FOLDER
    found = sorted(path for pattern in ("*.yaml", "*.yml") for path in tests.rglob(pattern))
    if not found:
        raise NotFound(f"{tests} holds no scenarios (*.yaml)", hint="weft init makes a project that has some")
    return found


def _read(path: Path, folder: Path) -> list[Case]:
    where = str(path.relative_to(folder))
    with os_errors_as(f"cannot read {path}"):
        data = read_limited(path, _MOST_BYTES)
    if data is None:
        raise UsageError(f"{where} is larger than {_MOST_BYTES >> 20} MB")
    return parse(data.decode("utf-8", "replace"), where=where)
