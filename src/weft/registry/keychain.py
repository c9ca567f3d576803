"""Which credential belongs to a registry; the first place that has one wins.

    1  what the command was given (``-u``, ``-p``)
    2  ``WEFT_REGISTRY_USERNAME`` and ``WEFT_REGISTRY_PASSWORD`` (or ``WEFT_REGISTRY_TOKEN``), for the
       registry that ``WEFT_REGISTRY_HOST`` names and no other
    3  what was handed over while the program runs
    4  weft's own file, written by ``weft login``
    5  ``REGISTRY_AUTH_FILE``, else podman's ``auth.json`` in the runtime and the config folder
    6  docker's ``config.json`` (``DOCKER_CONFIG``), then ``.dockercfg``
    7  wasme's ``credentials.json``

In each file a credential helper named for the registry comes before what is written down.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from weft.base.files import read_limited
from weft.errors import PartMissing, UsageError
from weft.registry import helpers
from weft.registry.credentials import MAX_FILE_BYTES, Credential, CredentialFile, same_registry
from weft.registry.handed import Handed

__all__ = ["Keychain", "read_credentials"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keychain:
    """Where to look. ``own`` is weft's file; ``given`` maps registries to what the command was told."""

    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    own: Path | None = None
    given: Mapping[str, Credential] = field(default_factory=dict)
    handed: Handed = field(default_factory=Handed)
    notes: list[str] = field(default_factory=list)
    """What could not be asked, for the hint of a later refusal."""

    async def lookup(self, registry: str, repository: str = "") -> Credential | None:
        """The credential for ``registry`` (and ``repository`` in it), or ``None``: come as nobody.

        Raises ``UsageError`` for a file or variables that cannot be understood.
        """
        for host, given in self.given.items():
            if same_registry(host, registry):
                return given
        if told := self._from_env(registry):
            return told
        held = [await self._from_file(file, registry, repository) for file in self.handed.files]
        if chosen := self.handed.choose(registry, repository, [one for one in held if one]):
            return chosen
        for path in self._files():
            file = read_credentials(path)
            if file and (found := await self._from_file(file, registry, repository)):
                return found
        return None

    def _from_env(self, registry: str) -> Credential | None:
        names = ("WEFT_REGISTRY_USERNAME", "WEFT_REGISTRY_PASSWORD", "WEFT_REGISTRY_TOKEN")
        username, password, token = (self.env.get(name, "") for name in names)
        host = self.env.get("WEFT_REGISTRY_HOST", "")
        if not (username or token):
            return None
        if not host:
            raise UsageError(
                "WEFT_REGISTRY_HOST is not set, so nobody knows whose credential WEFT_REGISTRY_* is",
                hint="WEFT_REGISTRY_HOST=hub.example.com",
            )
        if not same_registry(host, registry):
            return None
        return Credential(username, password, registry_token=token, source="WEFT_REGISTRY_*")

    def _files(self) -> list[Path]:
        env = self.env
        home = Path(env["HOME"]) if env.get("HOME") else None
        files = [self.own] if self.own else []
        if env.get("REGISTRY_AUTH_FILE"):
            files.append(Path(env["REGISTRY_AUTH_FILE"]))
        else:
            if env.get("XDG_RUNTIME_DIR"):
                files.append(Path(env["XDG_RUNTIME_DIR"], "containers/auth.json"))
            if env.get("XDG_CONFIG_HOME"):
                files.append(Path(env["XDG_CONFIG_HOME"], "containers/auth.json"))
            elif home:
                files.append(home / ".config/containers/auth.json")
        if env.get("DOCKER_CONFIG"):
            files.append(Path(env["DOCKER_CONFIG"], "config.json"))
        elif home:
            files.append(home / ".docker/config.json")
        return files + ([home / ".dockercfg", home / ".wasme/credentials.json"] if home else [])

    async def _from_file(self, file: CredentialFile, registry: str, repository: str) -> Credential | None:
        if name := file.helper(registry):
            try:
                if credential := await helpers.get(name, registry, self.env):
                    return credential
            except PartMissing as error:  # a public image needs no password: say so only if it comes to that
                note = f"{file.where} names docker-credential-{name}: {error}"
                if note not in self.notes:
                    self.notes.append(note)
        return file.stored(registry, repository)


def read_credentials(path: Path) -> CredentialFile | None:
    """The file at ``path``; ``None`` when there is none that we may read."""
    try:
        raw = read_limited(path, MAX_FILE_BYTES)
    except (FileNotFoundError, NotADirectoryError, PermissionError, IsADirectoryError):
        return None
    if raw is None:
        raise UsageError(f"{path} is larger than {MAX_FILE_BYTES} bytes")
    return CredentialFile.parse(raw, where=str(path), legacy=path.name == ".dockercfg")
