"""Filters to run, however the user named them: a module file, a project folder, an image."""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weft.errors import UsageError
from weft.project import Budgets, Project
from weft.workflows.authoring.modules import load_module_bytes
from weft.workflows.authoring.sources import read_schema

if TYPE_CHECKING:
    from weft.oci import Reference
    from weft.store import Store

__all__ = ["Admit", "Build", "Loaded", "Loader", "attached_schema", "from_project", "load_file", "load_image"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A module and what its author says of it."""

    name: str
    """Its id in the chain, unless the user gives another."""
    module: bytes = field(repr=False)
    root_id: str = ""
    config: Any = None
    """What it is told when nobody says otherwise."""
    schema: Any = None
    """JSON Schema of its configuration; ``None`` when it has none."""
    path: Path | None = None
    """A file that holds the module and stays, if there is one."""
    budgets: Budgets = field(default_factory=Budgets)
    """What it may cost."""


Build = Callable[[Path], Awaitable[Loaded]]
"""Project folder → filter."""
Admit = Callable[["Reference"], Awaitable["Reference"]]
"""Lets an image of the store pass: gives it pinned to what was judged, or raises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loader:
    """Finds filters: folders are built, what exists or ends in ``.wasm`` is a module, the rest an image."""

    store: Path
    build: Build
    admit: Admit | None = None
    """With it, nothing but images that it lets pass is run."""

    async def load(self, source: str) -> Loaded:
        """The filter as it is now. Raises ``NotFound``, ``UsageError`` and what ``build`` raises."""
        if self.admit:
            return await self._admitted(source, self.admit)
        folder = _folder(source)
        return await (self.build(folder) if folder else self._finished(source))

    async def _admitted(self, source: str, admit: Admit) -> Loaded:
        from weft.oci import Reference

        if _is_path(source):
            raise UsageError(f"{source} is not an image, so nobody can have signed it")
        return await load_image(str(await admit(Reference.parse(source))), self.store)

    def watched(self, source: str) -> Path:
        """The file or folder that changes when the filter does."""
        return Path(source) if _is_path(source) else self.store / "index.json"

    async def _finished(self, source: str) -> Loaded:
        return load_file(Path(source)) if _is_path(source) else await load_image(source, self.store)


def _folder(source: str) -> Path | None:
    path = Path(source)
    return path if path.is_dir() else None


def _is_path(source: str) -> bool:
    path = Path(source)
    return path.exists() or path.suffix == ".wasm"


def load_file(path: Path) -> Loaded:
    """A module file; raises ``NotFound``, ``UsageError`` or ``WeftError``."""
    module = load_module_bytes(str(path))
    path = path.absolute()
    return Loaded(name=_id(path.stem), module=module, path=path)


async def load_image(source: str, store: Path) -> Loaded:
    """An image of the store. Raises ``NotFound`` and ``UsageError``."""
    from weft.image import unpack
    from weft.oci import Reference
    from weft.store import Store

    reference = Reference.parse(source)
    contents = unpack(Store(store).get(reference))
    roots = contents.runtime.root_ids if contents.runtime else ()
    budgets = contents.runtime.unknown.get("budgets", {}) if contents.runtime else {}
    return Loaded(
        name=_id(reference.repository.rpartition("/")[2]),
        module=contents.module,
        root_id=roots[0] if roots else "",
        schema=await attached_schema(Store(store), reference),
        budgets=Budgets.parse(budgets, where=f"budgets of {source}"),
    )


async def attached_schema(store: "Store", reference: "Reference") -> Any:
    """The schema that was built, or came, with an image; ``None`` when none is there that can be read."""
    from weft.workflows.images.attached import read_attached
    from weft.workflows.images.local import StoreContents

    found = await read_attached(StoreContents(store), store.find(reference).digest, "schema")
    try:
        return json.loads(found[0].data) if found else None
    except (ValueError, RecursionError):
        return None


def from_project(folder: Path, project: Project, module: bytes) -> Loaded:
    """The module built from a project; its config and schema as the project's file has them now."""
    return Loaded(
        name=_id(project.root_id or project.name),
        module=module,
        root_id=project.root_id,
        config=project.config.default,
        schema=read_schema(folder, project),
        budgets=project.budgets,
    )


def _id(text: str) -> str:
    """``text`` with what cannot stand in an id replaced."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text).lstrip("._-") or "filter"
