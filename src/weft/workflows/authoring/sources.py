"""What a folder says of the filter in it: weft's own project file, or wasme's runtime-config.json."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weft.base.files import os_errors_as, read_limited
from weft.base.names import Name
from weft.errors import NotFound, UsageError
from weft.project import LANGUAGES, ConfigSection, Project

if TYPE_CHECKING:
    from weft.image import RuntimeConfig

__all__ = [
    "PROJECT_FILE",
    "RUNTIME_CONFIG_FILE",
    "Source",
    "language_named",
    "read_runtime_config",
    "read_schema",
    "read_source",
]

PROJECT_FILE = "weft.toml"
RUNTIME_CONFIG_FILE = "runtime-config.json"

# Both files are written by hand; a megabyte of one is a mistake.
_MAX_FILE_BYTES = 1024 * 1024

# wasme knew Go filters by the compiler it used.
_ALSO_CALLED = {"tinygo": "go"}

_SIGNS = {
    "assemblyscript": ("assembly/*.ts", "package.json"),
    "cpp": ("*.cc", "*.cpp"),
    "go": ("go.mod", "*.go"),
    "rust": ("Cargo.toml", "*.rs"),
}


@dataclass(frozen=True, slots=True)
class Source:
    """A filter's folder and what it says of itself."""

    folder: Path
    """Absolute."""
    project: Project
    runtime: "RuntimeConfig | None"
    """A wasme project's own file, with the keys that only its author knows."""


def language_named(word: str) -> str | None:
    """The language that ``word`` names on the command line, or ``None``."""
    name = _ALSO_CALLED.get(word, word)
    return name if name in LANGUAGES else None


def read_source(folder: Path, language: str | None = None) -> Source:
    """Read the project in ``folder``; ``language`` is what the command line says, if anything.

    Raises ``NotFound`` when there is no such folder, ``UsageError`` when it holds no project, names another
    language, or does not tell its language.
    """
    if not folder.is_dir():
        raise NotFound(
            f"{folder} is not a folder" if folder.exists() else f"{folder}: no such file or folder"
        )
    folder = folder.resolve()
    ours, wasmes = folder / PROJECT_FILE, folder / RUNTIME_CONFIG_FILE
    if ours.is_file():
        project = Project.parse(_read(ours).decode(errors="replace"), where=str(ours))
        if language and language != project.language:
            raise UsageError(
                f"{ours} says the language is {project.language}, the command line says {language}",
                hint="leave the language out: weft build " + str(folder),
            )
        return Source(folder, project, None)
    if wasmes.is_file():
        runtime = read_runtime_config(wasmes)
        return Source(folder, _wasme_project(folder, runtime, language), runtime)
    raise UsageError(
        f"{folder} holds no filter project: neither {PROJECT_FILE} nor {RUNTIME_CONFIG_FILE}",
        hint="weft init makes one",
    )


def read_runtime_config(path: Path) -> "RuntimeConfig":
    """Read a wasme project file; raises ``NotFound``, ``UsageError`` or what ``RuntimeConfig`` raises."""
    from weft.image import RuntimeConfig

    if not path.is_file():
        raise NotFound(f"{path} is not a file")
    return RuntimeConfig.parse(_read(path), where=str(path))


def read_schema(folder: Path, project: Project) -> Any:
    """The JSON Schema of the config, as the project in ``folder`` names it; ``None`` where it names none.

    Raises ``UsageError`` when it cannot be read: what nobody reads allows every config.
    """
    if project.config.schema is None:
        return None
    path, hint = folder / project.config.schema, f"[config] schema in {PROJECT_FILE} names it"
    try:
        text = read_limited(path, _MAX_FILE_BYTES)
        if text is None:
            raise UsageError(f"{path} is larger than {_MAX_FILE_BYTES} bytes", hint=hint)
        return json.loads(text)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", hint=hint) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not valid JSON: {error}", hint=hint) from error


def _read(path: Path) -> bytes:
    with os_errors_as(f"cannot read {path}"):
        text = read_limited(path, _MAX_FILE_BYTES)
    if text is None:
        raise UsageError(f"{path} is larger than {_MAX_FILE_BYTES} bytes")
    return text


def _wasme_project(folder: Path, runtime: "RuntimeConfig", language: str | None) -> Project:
    name = Name.parse(folder.name)
    return Project(
        name=name.kebab,
        language=language or _detect(folder),
        root_id=runtime.root_ids[0] if runtime.root_ids else name.snake,
        description="",
        license="",
        abi_versions=runtime.abi_versions,
        config=ConfigSection(),
        build={},
    )


def _detect(folder: Path) -> str:
    signs = {
        language: found
        for language, patterns in _SIGNS.items()
        if (found := next((path.name for pattern in patterns for path in sorted(folder.glob(pattern))), None))
    }
    if len(signs) == 1:
        return next(iter(signs))
    seen = ", ".join(f"{found} ({language})" for language, found in signs.items()) or "no source file"
    raise UsageError(
        f"{folder} does not tell its language: it has {seen}",
        hint=f"name the language: weft build {'|'.join(LANGUAGES)} {folder}",
    )
