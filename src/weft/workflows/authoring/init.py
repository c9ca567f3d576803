"""Make a new filter project in a folder: all of it, or nothing."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from weft.base.files import atomic_directory
from weft.base.names import Name
from weft.errors import UsageError
from weft.templates import render

__all__ = ["Created", "create_project", "refuse_used_folder"]


@dataclass(frozen=True, slots=True)
class Created:
    """What was made."""

    folder: Path
    name: Name
    files: tuple[PurePosixPath, ...]


def refuse_used_folder(folder: Path) -> None:
    """Raise ``UsageError`` unless ``folder`` is absent or empty."""
    if folder.is_dir():
        if any(folder.iterdir()):
            raise UsageError(
                f"{folder} already has files in it; nothing was written",
                hint="choose a new folder, or empty this one",
            )
    elif folder.exists() or folder.is_symlink():
        raise UsageError(f"{folder} is not a folder; nothing was written", hint="choose a new folder")


def create_project(folder: Path, *, language: str, example: str, abi: str | None = None) -> Created:
    """Write the project named after ``folder``.

    ``abi`` (``0.1.0``, ``0.2.0``; ``None``: the SDK's own) goes into ``[build]`` for SDKs that can choose.
    Raises ``UsageError`` for a used folder, a name that cannot be one, an unknown language or example.
    """
    refuse_used_folder(folder)
    name = Name.parse(folder.resolve().name)
    project = render(language, example, name)
    if abi:
        project[PurePosixPath("weft.toml")] += f'\n[build]\nabi = "{abi}"\n'.encode()
    try:
        with atomic_directory(folder) as temporary:
            for path, content in project.items():
                target = temporary / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
    except OSError as error:
        raise UsageError(f"cannot write {folder}: {error.strerror}") from error
    return Created(folder, name, tuple(sorted(project)))
