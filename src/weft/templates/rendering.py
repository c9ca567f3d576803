"""Lay a project's files over one another and put the user's name into them.

Four layers, later ones win (``files/`` beside this module)::

    every/                what all projects have: README, ignore list
    examples/<example>/   what an example means in any language: weft.toml, config schema
    <language>/every/     what a language needs to build
    <language>/<example>/ the source

Placeholders are ordinary words, so a template compiles as it stands: ``my-filter``, ``my_filter``,
``MyFilter`` and ``my-language``. A file called ``dot-x`` becomes ``.x``.
"""

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath

from weft.base.names import Name
from weft.errors import UsageError

__all__ = ["EXAMPLES", "LANGUAGES", "render"]

LANGUAGES = ("assemblyscript", "cpp", "go", "rust")
EXAMPLES = {
    "add-header": "adds a response header taken from its config",
    "path-rewrite": "rewrites request paths that match regular expressions",
    "external-auth": "asks another service about each request, and fails closed",
    "metrics": "counts and times requests",
}


def render(language: str, example: str, name: Name) -> dict[PurePosixPath, bytes]:
    """The files of a new project: relative path → content.

    Raises ``UsageError`` when there is no such language or example.
    """
    if language not in LANGUAGES:
        raise UsageError(f"no template for language {language!r}", hint=f"use one of {', '.join(LANGUAGES)}")
    if example not in EXAMPLES:
        raise UsageError(f"no example {example!r}", hint=f"use one of {', '.join(EXAMPLES)}")
    words = {
        b"my-filter": name.kebab.encode(),
        b"my_filter": name.snake.encode(),
        b"MyFilter": name.pascal.encode(),
        b"my-language": language.encode(),
    }
    root = files("weft.templates") / "files"
    project: dict[PurePosixPath, bytes] = {}
    for layer in ("every", f"examples/{example}", f"{language}/every", f"{language}/{example}"):
        for path, content in _walk(root.joinpath(*layer.split("/")), PurePosixPath()):
            for placeholder, word in words.items():
                content = content.replace(placeholder, word)  # noqa: PLW2901 - one value, refined
            project[path] = content
    return project


def _walk(folder: Traversable, at: PurePosixPath) -> Iterator[tuple[PurePosixPath, bytes]]:
    if not folder.is_dir():
        return
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        name = f".{entry.name.removeprefix('dot-')}" if entry.name.startswith("dot-") else entry.name
        if entry.is_dir():
            yield from _walk(entry, at / name)
        else:
            yield at / name, entry.read_bytes()
