"""What is said with each request so that the API knows us.

Tokens of files are read again before they are old (a pod's own is replaced every hour), those of programs
when they end, and any of them once more after a 401.
"""

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec

from weft.base.clock import Clock, SystemClock
from weft.base.processes import run
from weft.errors import PartMissing, WeftError
from weft.kube.kubeconfig import Cluster, ExecPlugin

__all__ = ["Credentials", "Identity"]

_FILE_SECONDS = 60.0
_PROGRAM_SECONDS = 60.0
# A token that ends while a request is on its way is of no use.
_MARGIN = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a program told us to be."""

    token: str = field(default="", repr=False)
    certificate: bytes = b""
    key: bytes = field(default=b"", repr=False)
    until: datetime | None = None


class _Status(msgspec.Struct, rename="camel"):
    token: str | None = None
    client_certificate_data: str | None = None
    client_key_data: str | None = None
    expiration_timestamp: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class _ExecCredential(msgspec.Struct):
    status: _Status


class Credentials:
    """The ``Authorization`` of one user of one cluster."""

    def __init__(self, cluster: Cluster, env: Mapping[str, str], clock: Clock | None = None) -> None:
        self._cluster = cluster
        self._env = env
        self._clock = clock or SystemClock()
        self._identity: Identity | None = None
        self._asking = asyncio.Lock()
        self._file_token: tuple[str, float] | None = None

    async def header(self) -> dict[str, str]:
        """For the next request; empty where a certificate speaks for us.

        Raises ``WeftError`` when a file or a program gives no credential.
        """
        user = self._cluster.user
        if user.token_file is not None:
            return _bearer(self._from_file(user.token_file))
        if user.token:
            return _bearer(user.token)
        if user.exec is not None:
            return _bearer((await self.identity()).token)
        if user.username:
            both = base64.b64encode(f"{user.username}:{user.password}".encode()).decode()
            return {"Authorization": f"Basic {both}"}
        return {}

    async def identity(self) -> Identity:
        """What the user's program says, asked again when it is too old."""
        async with self._asking:  # one answer is for all who wait
            held = self._identity
            if held is None or (held.until and held.until - _MARGIN < datetime.now(UTC)):
                assert self._cluster.user.exec is not None  # noqa: S101 - asked by callers
                held = self._identity = await _ask(self._cluster.user.exec, self._cluster, self._env)
            return held

    def forget(self, refused: Mapping[str, str]) -> bool:
        """The credential ``refused`` is not good; gives whether a fresh one can be had."""
        if self._identity and _bearer(self._identity.token) == refused:  # else it is renewed already
            self._identity = None
        self._file_token = None
        return bool(self._cluster.user.exec or self._cluster.user.token_file)

    def _from_file(self, path: Path) -> str:
        now = self._clock.now()
        if self._file_token is None or now - self._file_token[1] > _FILE_SECONDS:
            try:
                token = path.read_bytes().strip().decode(errors="replace")
            except OSError as error:
                raise WeftError(f"cannot read the token in {path}: {error.strerror}") from error
            if not token:
                raise WeftError(f"the token in {path} is empty")
            self._file_token = token, now
        return self._file_token[0]


def _bearer(token: str) -> dict[str, str]:
    if not (token.isascii() and token.isprintable()):
        raise WeftError("the token has characters that no token has")
    return {"Authorization": f"Bearer {token}"} if token else {}


async def _ask(plugin: ExecPlugin, cluster: Cluster, env: Mapping[str, str]) -> Identity:
    info: dict[str, Any] = {"apiVersion": plugin.api_version, "kind": "ExecCredential"}
    info["spec"] = {"interactive": False}
    if plugin.provide_cluster_info:
        authority = base64.b64encode(cluster.authority).decode()
        info["spec"]["cluster"] = {"server": cluster.server, "certificate-authority-data": authority}
    told = {one.name: one.value for one in plugin.env or ()}
    command = [plugin.command, *(plugin.args or ())]
    try:
        done = await run(
            command,
            env={**env, **told, "KUBERNETES_EXEC_INFO": json.dumps(info)},
            timeout=_PROGRAM_SECONDS,
            errors_too=False,
        )
    except PartMissing as error:
        raise PartMissing(str(error), hint=plugin.install_hint.strip() or None) from error
    if done.code:
        raise WeftError(f"{plugin.command} gave no credential: exit code {done.code}", detail=done.output)
    return _identity(plugin.command, done.output)


def _identity(named: str, output: str) -> Identity:
    try:
        status = msgspec.json.decode(output, type=_ExecCredential).status
    except (msgspec.DecodeError, RecursionError) as error:  # the error may quote a secret: it is not shown
        raise WeftError(f"{named} printed no ExecCredential") from error
    identity = Identity(
        token=status.token or "",
        certificate=(status.client_certificate_data or "").encode(),
        key=(status.client_key_data or "").encode(),
        until=status.expiration_timestamp,
    )
    if not (identity.token or identity.certificate):
        raise WeftError(f"{named} printed an ExecCredential with neither token nor certificate")
    return identity
