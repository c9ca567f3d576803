"""Credential helpers: programs called ``docker-credential-<name>`` that keep passwords.

The protocol is docker's: a verb (``get``, ``store``, ``erase``), the registry or a JSON document on standard
input, JSON on standard output; exit code 1 with known words when nothing is kept.
"""

import asyncio
import json
import re
from collections.abc import Mapping

from weft.base.processes import kill_group
from weft.errors import PartMissing, UsageError, WeftError
from weft.registry.credentials import Credential

__all__ = ["erase", "get", "store"]

# A helper may ask its user to unlock a keyring.
_SECONDS = 60.0
_MAX_OUTPUT_BYTES = 256 * 1024
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_NOT_FOUND = "credentials not found"
# With this user name, the secret is an identity token (docker-credential-helpers).
_TOKEN_USER = "<token>"  # noqa: S105 - a marker, no secret
_HUB_KEY = "https://index.docker.io/v1/"


async def get(name: str, registry: str, env: Mapping[str, str]) -> Credential | None:
    """What the helper keeps for ``registry``.

    Raises ``PartMissing`` when the program is not there and ``WeftError`` when it fails.
    """
    code, output = await _run(name, "get", _key(registry).encode(), env)
    if code != 0:
        if _NOT_FOUND in output:
            return None
        raise WeftError(f"docker-credential-{name} failed for {registry}", detail=output[:2000])
    try:
        document = json.loads(output)
        username, secret = str(document["Username"]), str(document["Secret"])
    except (ValueError, KeyError, TypeError) as error:
        # Not shown: it may be a secret in an unknown shape.
        raise WeftError(f"docker-credential-{name} gave no credential document for {registry}") from error
    source = f"docker-credential-{name}"
    if username == _TOKEN_USER:
        return Credential(identity_token=secret, source=source)
    return Credential(username, secret, source=source) if username or secret else None


async def store(name: str, registry: str, credential: Credential, env: Mapping[str, str]) -> None:
    """Hand a credential over for keeping."""
    document = {
        "ServerURL": _key(registry),
        "Username": credential.username or _TOKEN_USER,
        "Secret": credential.password or credential.identity_token,
    }
    code, output = await _run(name, "store", json.dumps(document).encode(), env)
    if code != 0:
        raise WeftError(f"docker-credential-{name} did not keep the credential", detail=output[:2000])


async def erase(name: str, registry: str, env: Mapping[str, str]) -> None:
    """Have a credential forgotten; one that is not there is no failure."""
    code, output = await _run(name, "erase", _key(registry).encode(), env)
    if code != 0 and _NOT_FOUND not in output:
        raise WeftError(f"docker-credential-{name} did not erase the credential", detail=output[:2000])


def _key(registry: str) -> str:
    return _HUB_KEY if registry == "docker.io" else registry


async def _run(name: str, verb: str, given: bytes, env: Mapping[str, str]) -> tuple[int, str]:
    """Exit code and standard output; standard error is dropped, as docker drops it."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot be the name of a credential helper")
    program = f"docker-credential-{name}"
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            verb,
            env=dict(env),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise PartMissing(
            f"cannot start {program}: {error.strerror}", hint="install it, or remove it from the config file"
        ) from error
    try:
        async with asyncio.timeout(_SECONDS):
            output, _ = await process.communicate(given)
    except TimeoutError as error:
        raise WeftError(f"{program} did not finish within {_SECONDS:g} s") from error
    finally:
        if process.returncode is None:
            kill_group(process.pid)
            await process.wait()
    if len(output) > _MAX_OUTPUT_BYTES:
        raise WeftError(f"{program} wrote more than {_MAX_OUTPUT_BYTES} bytes")
    return process.returncode or 0, output.decode(errors="replace")
