"""Who we say we are, and the file format in which docker, podman, ORAS, wasme and weft keep it.

``{"auths": {"host": {"auth": base64("user:password")}}, "credHelpers": {"host": "name"}, "credsStore": …}``.
Keys are hosts, hosts with a path (podman), or old URLs (``https://index.docker.io/v1/``). Pure.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from weft.errors import UsageError

__all__ = ["MAX_FILE_BYTES", "Credential", "CredentialFile", "same_registry"]

# Hundreds of registries with long tokens.
MAX_FILE_BYTES = 4 * 1024 * 1024
_DOCKER_HUB = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"})


@dataclass(frozen=True, slots=True)
class Credential:
    """A user name and password, or a token that stands for them."""

    username: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    """An OAuth2 refresh token: exchanged for access tokens, instead of a password."""
    registry_token: str = field(default="", repr=False)
    """A bearer token, sent as it is."""
    source: str = ""
    """Where it was found, for messages."""

    @property
    def basic(self) -> str:
        """``base64(user:password)``."""
        return base64.b64encode(f"{self.username}:{self.password}".encode()).decode()

    @property
    def entry(self) -> dict[str, str]:
        """What stands for it in a file's ``auths``."""
        if self.identity_token:
            return {"identitytoken": self.identity_token}
        return {"registrytoken": self.registry_token} if self.registry_token else {"auth": self.basic}


@dataclass(frozen=True, slots=True)
class CredentialFile:
    """A credentials file as a view; what weft does not know stays in ``fields``."""

    fields: Mapping[str, Any]
    where: str

    @classmethod
    def parse(cls, raw: bytes, *, where: str, legacy: bool = False) -> "CredentialFile":
        """Read docker's ``config.json``; ``legacy`` is ``.dockercfg``, the ``auths`` alone.

        Raises ``UsageError`` naming the file and the place.
        """
        try:
            fields = json.loads(raw or b"{}")
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{where} is not JSON: {error}", hint="repair it, or remove it") from error
        if not isinstance(fields, dict):
            raise UsageError(f"{where} must be a JSON object")
        if legacy:
            fields = {"auths": fields}
        for name in ("auths", "credHelpers"):
            if not isinstance(fields.get(name) or {}, dict):
                raise UsageError(f"{where}: {name} must be an object")
        return cls(fields, where)

    def stored(self, registry: str, repository: str = "") -> Credential | None:
        """The entry of ``auths`` for the longest part of ``registry/repository`` that has one."""
        auths: dict[str, Any] = self.fields.get("auths") or {}
        entries = {
            _plain_key(key): entry for key, entry in auths.items() if isinstance(entry, dict) and entry
        }
        for key in _keys(registry, repository):
            if key in entries and (credential := _credential(entries[key], f"{self.where}: auths.{key}")):
                return credential
        return None

    def helper(self, registry: str) -> str | None:
        """The name of the program that keeps the credential of ``registry``, if one is named."""
        helpers: dict[str, Any] = self.fields.get("credHelpers") or {}
        for key, name in helpers.items():
            if same_registry(_plain_key(key), registry) and isinstance(name, str):
                return name
        store = self.fields.get("credsStore")
        return store if isinstance(store, str) and store else None

    def with_entry(self, registry: str, entry: Mapping[str, Any] | None) -> "CredentialFile":
        """The same file with the entry of ``registry`` set, or removed with ``None``."""
        auths = dict(self.fields.get("auths") or {})
        kept = {key: value for key, value in auths.items() if not same_registry(_plain_key(key), registry)}
        if entry is not None:
            kept[registry] = dict(entry)
        return CredentialFile({**self.fields, "auths": kept}, self.where)

    def to_bytes(self) -> bytes:
        """What to write: indented with tabs, as docker and wasme do."""
        return json.dumps(self.fields, indent="\t").encode() + b"\n"


def same_registry(one: str, other: str) -> bool:
    """Whether two hosts are one registry; Docker Hub has several names."""
    return one == other or {one, other} <= _DOCKER_HUB


def _plain_key(key: str) -> str:
    """``https://index.docker.io/v1/`` → ``index.docker.io``; ``host/team`` stays."""
    without = key.partition("://")[2] if "://" in key else key
    host, _, path = without.rstrip("/").partition("/")
    return host if path in {"", "v1", "v2"} else f"{host}/{path}"


def _keys(registry: str, repository: str) -> list[str]:
    """Most special first."""
    hosts = [registry, *sorted(_DOCKER_HUB - {registry})] if registry in _DOCKER_HUB else [registry]
    parts = repository.split("/") if repository else []
    paths = ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]
    return [f"{host}/{path}" for path in paths for host in hosts] + hosts


def _credential(entry: Mapping[str, Any], where: str) -> Credential | None:
    def text(name: str) -> str:
        value = entry.get(name) or ""
        if not isinstance(value, str):
            raise UsageError(f"{where}.{name} must be a string")
        return value

    username, password = text("username"), text("password")
    if auth := text("auth"):
        try:
            decoded = base64.b64decode(auth, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise UsageError(f"{where}.auth is not base64 of user:password", hint="log in again") from error
        username, colon, password = decoded.partition(":")
        if not colon:
            raise UsageError(f"{where}.auth is not base64 of user:password", hint="log in again")
        password = password.strip("\0")  # docker on Windows pads it
    credential = Credential(username, password, text("identitytoken"), text("registrytoken"), where)
    has_any = credential.username or credential.identity_token or credential.registry_token
    return credential if has_any else None
