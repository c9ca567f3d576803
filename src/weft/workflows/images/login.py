"""Log in to a registry and out of it: a credential is kept only after the registry has believed it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from weft.errors import UsageError
from weft.registry import Credential, Keychain, forget, keep
from weft.workflows.images.registries import Access, open_registries

__all__ = ["LoggedIn", "LoggedOut", "log_in", "log_out", "server_name"]


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Where the credential of ``server`` is now; ``checked`` when the registry asked for it."""

    server: str
    username: str
    place: str
    checked: bool


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """What was forgotten, and which other file still has a credential."""

    server: str
    forgotten: bool
    elsewhere: str | None


def server_name(text: str) -> str:
    """The host of a registry as it stands in references; raises ``UsageError``."""
    without = text.partition("://")[2] if "://" in text else text
    host, _, path = without.strip("/").partition("/")
    if not host or (path and path not in {"v1", "v2"}):
        raise UsageError(f"{text!r} is not a registry", hint="name its host: hub.example.com")
    return "docker.io" if host in {"index.docker.io", "registry-1.docker.io"} else host


async def log_in(env: Mapping[str, str], path: Path, server: str, access: Access) -> LoggedIn:
    """Check the credential in ``access`` at ``server`` and keep it in ``path``.

    Raises ``AuthFailed`` when the registry does not believe it; then nothing is written.
    """
    async with open_registries(env, [server], access) as registries:
        checked = await registries.check(server)
    place = await keep(path, server, Credential(access.username, access.password), env)
    return LoggedIn(server, access.username, place, checked)


async def log_out(env: Mapping[str, str], path: Path, server: str) -> LoggedOut:
    """Forget the credential of ``server`` in ``path``; other tools' files are theirs."""
    forgotten = await forget(path, server, env)
    others = {name: value for name, value in env.items() if not name.startswith("WEFT_REGISTRY_")}
    left = await Keychain(env=others).lookup(server)
    return LoggedOut(server, forgotten, left.source if left else None)
