"""Get the bytes of a module, however the user named it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from weft.base.files import read_limited
from weft.errors import NotFound, UsageError, WeftError
from weft.wasm import MAX_MODULE_BYTES, Module, read_module

__all__ = ["LoadedModule", "Resolve", "load_module", "load_module_bytes", "stored_module"]

Resolve = Callable[[str], bytes]
"""The module of an image reference; raises ``NotFound`` when there is no such image."""


@dataclass(frozen=True, slots=True)
class LoadedModule:
    """A module with its bytes and the name the user gave it."""

    what: str
    data: bytes
    module: Module
    root_id: str = ""
    """By its image or project."""
    config: str = ""
    """What its project tells it when nobody says otherwise."""


def stored_module(store: Path) -> Resolve:
    """Finds modules in the images of the store at ``store``."""

    def resolve(what: str) -> bytes:
        from weft.image import unpack
        from weft.oci import Reference
        from weft.store import Store

        return unpack(Store(store).get(Reference.parse(what))).module

    return resolve


def load_module(what: str, resolve: Resolve | None = None) -> LoadedModule:
    """Find and read a module. Raises what ``load_module_bytes`` raises, and ``ModuleInvalid``."""
    data = load_module_bytes(what, resolve)
    return LoadedModule(what, data, read_module(data, what=what))


def load_module_bytes(what: str, resolve: Resolve | None = None) -> bytes:
    """The module in the file ``what``, or of the image ``what`` where ``resolve`` knows images.

    What exists as a file, or ends in ``.wasm``, is a file. Raises ``NotFound`` or ``UsageError``.
    """
    path = Path(what)
    if path.suffix == ".wasm" or path.exists():
        return _read_file(path)
    if resolve is None:
        raise NotFound(f"{what}: no such file", hint="name a file that ends in .wasm")
    return resolve(what)


def _read_file(path: Path) -> bytes:
    try:
        data = read_limited(path, MAX_MODULE_BYTES)
    except FileNotFoundError as error:
        raise NotFound(f"{path}: no such file") from error
    except IsADirectoryError as error:
        raise UsageError(f"{path} is a folder", hint="name the module in it, a file .wasm") from error
    except OSError as error:
        raise WeftError(f"{path}: {error.strerror}") from error
    if data is None:
        raise UsageError(f"{path} is larger than the {MAX_MODULE_BYTES} bytes a module may have")
    return data
