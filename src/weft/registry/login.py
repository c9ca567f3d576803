"""Keep and forget credentials in a file of docker's format: whole, private, one writer at a time.

The file may name a credential helper for the registry (``credHelpers``, ``credsStore``); then the password
goes there and the file only says that there is one.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from weft.base.files import atomic_write
from weft.base.locks import exclusive
from weft.errors import WeftError
from weft.registry import helpers
from weft.registry.credentials import Credential, CredentialFile
from weft.registry.keychain import read_credentials

__all__ = ["forget", "keep"]

_PRIVATE = 0o600
_LOCK_SECONDS = 30.0


async def keep(path: Path, registry: str, credential: Credential, env: Mapping[str, str]) -> str:
    """Write the credential of ``registry`` and leave all others; say where it is now."""
    async with _locked(path):
        file = read_credentials(path) or CredentialFile({}, str(path))
        if name := file.helper(registry):
            await helpers.store(name, registry, credential, env)
            _write(path, file.with_entry(registry, {}))
            return f"docker-credential-{name}"
        _write(path, file.with_entry(registry, credential.entry))
        return str(path)


async def forget(path: Path, registry: str, env: Mapping[str, str]) -> bool:
    """Remove the credential of ``registry``; say whether there was one."""
    async with _locked(path):
        file = read_credentials(path)
        if file is None:
            return False
        there = file.stored(registry) is not None
        if name := file.helper(registry):
            there = there or await helpers.get(name, registry, env) is not None
            await helpers.erase(name, registry, env)
        remaining = file.with_entry(registry, None)
        if remaining.fields != file.fields:
            _write(path, remaining)
        return there


@asynccontextmanager
async def _locked(path: Path) -> AsyncIterator[None]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(_LOCK_SECONDS):
                await stack.enter_async_context(exclusive(path.with_name(f"{path.name}.lock")))
            yield
    except TimeoutError as error:
        raise WeftError(f"another weft has held {path} for {_LOCK_SECONDS:g} s") from error
    except OSError as error:
        raise WeftError(f"cannot write {path}: {error.strerror}") from error


def _write(path: Path, file: CredentialFile) -> None:
    atomic_write(path, file.to_bytes(), mode=_PRIVATE)
