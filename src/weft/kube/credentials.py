"""What is said with each request so that the API knows us.

Tokens of files are read again before they are old (a pod's own is replaced every hour), those of programs
when they end, and any of them once more after a 401.
"""

import base64
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

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

    token: str = ""
    certificate: bytes = b""
    key: bytes = b""
    until: datetime | None = None


class Credentials:
    """The ``Authorization`` of one user of one cluster."""

    def __init__(self, cluster: Cluster, env: Mapping[str, str], clock: Clock | None = None) -> None:
        self._cluster = cluster
        self._env = env
        self._clock = clock or SystemClock()
        self._identity: Identity | None = None
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
        held = self._identity
        if held is None or (held.until and held.until - _MARGIN < datetime.now(UTC)):
            assert self._cluster.user.exec is not None  # noqa: S101 - asked by callers
            held = self._identity = await _ask(self._cluster.user.exec, self._cluster, self._env)
        return held

    def forget(self) -> bool:
        """The credential was refused; gives whether a fresh one can be had."""
        self._identity = self._file_token = None
        return bool(self._cluster.user.exec or self._cluster.user.token_file)

    def _from_file(self, path: Path) -> str:
        now = self._clock.now()
        if self._file_token is None or now - self._file_token[1] > _FILE_SECONDS:
            try:
                self._file_token = path.read_text().strip(), now
            except OSError as error:
                raise WeftError(f"cannot read the token in {path}: {error.strerror}") from error
        return self._file_token[0]


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


async def _ask(plugin: ExecPlugin, cluster: Cluster, env: Mapping[str, str]) -> Identity:
    info: dict[str, Any] = {"apiVersion": plugin.api_version, "kind": "ExecCredential"}
    info["spec"] = {"interactive": False}
    if plugin.provide_cluster_info:
        authority = base64.b64encode(cluster.authority).decode()
        info["spec"]["cluster"] = {"server": cluster.server, "certificate-authority-data": authority}
    told = {one.name: one.value for one in plugin.env or ()}
    command = [plugin.command, *(plugin.args or ())]
    named = shlex.join(command)
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
        raise WeftError(f"{named} gave no credential: exit code {done.code}", detail=done.output)
    return _identity(named, done.output)


def _identity(named: str, output: str) -> Identity:
    try:
        status = json.loads(output)["status"]
        until = status.get("expirationTimestamp")
        identity = Identity(
            token=status.get("token", ""),
            certificate=status.get("clientCertificateData", "").encode(),
            key=status.get("clientKeyData", "").encode(),
            until=datetime.fromisoformat(until) if until else None,
        )
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise WeftError(f"{named} printed no ExecCredential") from error
    if not (identity.token or identity.certificate):
        raise WeftError(f"{named} printed an ExecCredential with neither token nor certificate")
    return identity
