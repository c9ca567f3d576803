"""The languages weft compiles, one module each; a module is imported when its language is first used.

Languages do not know each other. Each module here offers one class named as in the table below, which is
made without arguments and keeps no state.
"""

import importlib
from collections.abc import Iterator, Mapping

from weft.toolchains.language import Language

__all__ = ["LANGUAGES"]

_CLASSES = {"assemblyscript": "AssemblyScript", "cpp": "Cpp", "go": "Go", "rust": "Rust"}


class _Languages(Mapping[str, Language]):
    """Name → language, made on first use."""

    def __init__(self, classes: Mapping[str, str]) -> None:
        self._classes = classes
        self._made: dict[str, Language] = {}

    def __getitem__(self, name: str) -> Language:
        if name not in self._made:
            module = importlib.import_module(f"{__name__}.{name}") if name in self._classes else None
            if module is None:
                raise KeyError(name)
            made: Language = getattr(module, self._classes[name])()
            self._made[name] = made
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._classes)

    def __len__(self) -> int:
        return len(self._classes)


LANGUAGES: Mapping[str, Language] = _Languages(_CLASSES)
