"""Modules as files that stay, named by their content."""

import hashlib
from pathlib import Path

from weft.base.files import atomic_write
from weft.errors import UsageError

__all__ = ["keep_module"]


def keep_module(module: bytes, cache: Path) -> Path:
    """Where ``module`` is kept for good under ``cache``; raises ``UsageError`` when it cannot be."""
    path = cache / "modules" / f"{hashlib.sha256(module).hexdigest()}.wasm"
    try:
        if not path.exists():
            atomic_write(path, module)
    except OSError as error:
        raise UsageError(f"cannot keep the module at {path}: {error.strerror}") from error
    return path.absolute()
