"""Which scenarios a project has: the files under ``tests/``, in the order of their names, or one file.

A file is scenarios in YAML, or a suite of Google's Service Extensions in YAML or protobuf's text format.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from weft.base.files import os_errors_as, read_limited
from weft.errors import NotFound, UsageError, WeftError
from weft.scenario import Case, Neighbor, is_suite, parse, parse_suite, schema
from weft.workflows.authoring.modules import Resolve, load_module_bytes

if TYPE_CHECKING:
    from weft.scenario import Place

__all__ = ["FOLDER", "neighbors", "read_any_cases", "read_cases", "scenario_schema"]

FOLDER = "tests"
"""Where scenarios are, in a project."""
_YAML = (".yaml", ".yml")
_PATTERNS = ("*.yaml", "*.yml", "*.textpb", "*.textproto", "*.txtpb", "*.pbtxt")
_MOST_BYTES = 16 * 1024 * 1024


def read_cases(where: Path, name: str) -> tuple[list[Case], int]:
    """The cases of a project's folder, or of a file, whose names contain ``name``; how many others there are.

    Raises ``NotFound`` where there is none, ``UsageError`` for one that is wrong.
    """
    folder = where if where.is_dir() else where.parent
    files = _files(where)
    if not files:
        raise NotFound(
            f"{folder / FOLDER} holds no scenarios (*.yaml)", hint="weft init makes a project that has some"
        )
    cases = [case for path in files for case in _read(path, folder)]
    chosen = [case for case in cases if name.lower() in case.name.lower()]
    if not cases:
        raise NotFound(f"{where if where.is_file() else folder / FOLDER} has no scenario in it")
    if not chosen:
        raise NotFound(f"no scenario's name contains {name!r}", hint="weft test without -k runs all")
    return chosen, len(cases) - len(chosen)


def read_any_cases(where: Path, name: str) -> list[Case]:
    """The same where it is as good to have none, unless one is named."""
    return read_cases(where, name)[0] if name or _files(where) else []


def neighbors(cases: Sequence[Case], resolve: Resolve) -> dict[str, bytes]:
    """The modules of the filters beside the project's, by the names that cases have for them.

    Raises what ``load_module_bytes`` raises, with the file that names the module.
    """
    named = {(one.module, case.where) for case in cases for one in case.setup.neighbors if one.module}
    return {name: _neighbor(name, where, resolve) for name, where in sorted(named)}


def _neighbor(name: str, where: str, resolve: Resolve) -> bytes:
    try:
        return load_module_bytes(name, resolve)
    except WeftError as error:
        raise type(error)(f"{where}: {error}", hint=error.hint, detail=error.detail) from error


def scenario_schema() -> dict[str, Any]:
    """The JSON Schema of the files of scenarios."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema()}


def _files(where: Path) -> list[Path]:
    if not where.is_dir():
        return [where]
    return sorted(path for pattern in _PATTERNS for path in (where / FOLDER).rglob(pattern))


def _read(path: Path, folder: Path) -> list[Case]:
    where = str(path.relative_to(folder))
    text = _content(path, where).decode("utf-8", "replace")
    yaml = path.suffix in _YAML
    if yaml and not is_suite(text):
        return [_found(case, path.parent) for case in parse(text, where=where)]
    return parse_suite(text, where=where, yaml=yaml, read=partial(_named, path.parent))


def _named(beside: Path, name: str, place: "Place") -> bytes:
    """A file that a suite names: from its own folder, or one above, as the tester is run in a repository."""
    wanted = [folder / name for folder in (beside, *beside.parents)] + [beside / Path(name).name]
    found = next((path for path in wanted if path.is_file()), None)
    if found is None:
        raise place.wrong(f"{name} is neither here nor above")
    return _content(found, str(found))


def _content(path: Path, where: str) -> bytes:
    with os_errors_as(f"cannot read {path}"):
        data = read_limited(path, _MOST_BYTES)
    if data is None:
        raise UsageError(f"{where} is larger than {_MOST_BYTES >> 20} MB")
    return data


def _found(case: Case, folder: Path) -> Case:
    """``case`` with its neighbors' files named from anywhere."""
    setup = case.setup

    def placed(beside: list[Neighbor] | None) -> list[Neighbor] | None:
        return None if beside is None else [_placed(one, folder) for one in beside]

    setup = msgspec.structs.replace(setup, before=placed(setup.before), after=placed(setup.after))
    return replace(case, setup=setup) if setup.neighbors else case


def _placed(one: Neighbor, folder: Path) -> Neighbor:
    """A file is named from the file of the scenario; what is none is an image."""
    path = folder / (one.module or "")
    is_file = one.module is not None and (path.suffix == ".wasm" or path.is_file())
    return msgspec.structs.replace(one, module=str(path.resolve())) if is_file else one
