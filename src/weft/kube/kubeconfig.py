"""Which cluster, and who we are there: kubeconfig files, and the account of a pod.

Files are merged as kubectl merges them: of two entries with one name the first counts, the first
``current-context`` too. Paths in a file are relative to its folder.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from weft.base.documents import parse_document
from weft.base.files import read_limited
from weft.errors import UsageError

__all__ = ["Cluster", "ExecPlugin", "User", "find_cluster"]

_MAX_FILE = 4 * 1024 * 1024
_Held = TypeVar("_Held")
_URLS = ("https://", "http://")
_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class _Entry(msgspec.Struct, rename="kebab", omit_defaults=True):
    """What all parts of a kubeconfig have in common: unknown fields are left alone."""


class _EnvVar(msgspec.Struct):
    name: str
    value: str = ""


class ExecPlugin(msgspec.Struct, rename="camel", frozen=True):
    """A program that gives a credential (client.authentication.k8s.io)."""

    command: str
    api_version: str
    args: list[str] | None = None
    env: list[_EnvVar] | None = None
    install_hint: str = ""
    provide_cluster_info: bool = False


class _Cluster(_Entry):
    server: str = ""
    certificate_authority: str = ""
    certificate_authority_data: bytes = b""
    insecure_skip_tls_verify: bool = False
    tls_server_name: str = ""
    proxy_url: str = ""


class _User(_Entry):
    client_certificate: str = ""
    client_certificate_data: bytes = b""
    client_key: str = ""
    client_key_data: bytes = b""
    token: str = ""
    token_file: str = msgspec.field(default="", name="tokenFile")
    username: str = ""
    password: str = ""
    exec: ExecPlugin | None = None
    auth_provider: dict[str, Any] | None = None
    as_: str = msgspec.field(default="", name="as")


class _Context(_Entry):
    cluster: str = ""
    user: str = ""
    namespace: str = ""


class _NamedCluster(msgspec.Struct):
    name: str
    cluster: _Cluster


class _NamedUser(msgspec.Struct):
    name: str
    user: _User = msgspec.field(default_factory=_User)


class _NamedContext(msgspec.Struct):
    name: str
    context: _Context


class _Config(_Entry):
    current_context: str = ""
    clusters: list[_NamedCluster] | None = None
    users: list[_NamedUser] | None = None
    contexts: list[_NamedContext] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Who we are; PEM texts are whole files."""

    certificate: bytes = b""
    key: bytes = field(default=b"", repr=False)
    token: str = field(default="", repr=False)
    token_file: Path | None = None
    username: str = ""
    password: str = field(default="", repr=False)
    exec: ExecPlugin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """One API server and the way to it."""

    name: str
    """The context's name, for people."""
    server: str
    """Its URL, without a slash at the end."""
    namespace: str = "default"
    authority: bytes = b""
    """PEM; empty: the authorities of the system."""
    insecure: bool = False
    server_name: str = ""
    """The name its certificate is for, when it is not the one in ``server``."""
    proxy: str = ""
    user: User


def find_cluster(
    env: Mapping[str, str], *, file: Path | None = None, context: str = "", account: Path = _ACCOUNT
) -> Cluster:
    """The cluster that a user means: ``file``, else ``KUBECONFIG``, ``~/.kube/config``, else the pod's own.

    Raises ``UsageError`` naming the file and the field, and where nothing says which cluster.
    """
    listed = env.get("KUBECONFIG", "")
    home = Path(env.get("HOME") or "/") / ".kube/config"
    paths = [file] if file else [Path(word) for word in listed.split(os.pathsep) if word] or [home]
    there = [path for path in paths if _exists(path)]
    if file and not there:
        raise UsageError(f"{file}: no such file")
    if there:
        return _of_files(there, context)
    if env.get("KUBERNETES_SERVICE_HOST") and _exists(account / "token") and not context:
        return _of_pod(env, account)
    named = " and no ".join(str(path) for path in paths)
    raise UsageError(
        f"no cluster: there is no {named}",
        hint="set KUBECONFIG, or name the file with --kubeconfig",
    )


def _of_pod(env: Mapping[str, str], account: Path) -> Cluster:
    host, port = env["KUBERNETES_SERVICE_HOST"], env.get("KUBERNETES_SERVICE_PORT", "443")
    namespace = account / "namespace"
    return Cluster(
        name="in-cluster",
        server=f"https://{f'[{host}]' if ':' in host else host}:{port}",
        namespace=_file(namespace).decode(errors="replace").strip() if _exists(namespace) else "default",
        authority=_file(account / "ca.crt"),
        user=User(token_file=account / "token"),
    )


def _of_files(paths: list[Path], context: str) -> Cluster:
    contexts: dict[str, _Context] = {}
    clusters: dict[str, tuple[_Cluster, Path]] = {}
    users: dict[str, tuple[_User, Path]] = {}
    current = context
    for path in paths:
        config = _read(path)
        current = current or config.current_context
        for one in config.contexts or ():
            contexts.setdefault(one.name, one.context)
        for held in config.clusters or ():
            clusters.setdefault(held.name, (held.cluster, path.parent))
        for who in config.users or ():
            users.setdefault(who.name, (who.user, path.parent))
    where = ", ".join(map(str, paths))
    if not current:
        raise UsageError(f"{where}: no current-context", hint="name one with --context")
    chosen = _pick(contexts, current, "context", where)
    cluster = _pick(clusters, chosen.cluster, "cluster", where)
    user = _pick(users, chosen.user, "user", where) if chosen.user else (_User(), Path())
    we = _user(*user, f"{where}: user {chosen.user}")
    return _made(current, chosen.namespace, cluster, we, where)


def _made(name: str, namespace: str, held: tuple[_Cluster, Path], user: User, where: str) -> Cluster:
    cluster, folder = held
    if not cluster.server.startswith(_URLS):
        raise UsageError(f"{where}: the server of context {name} is {cluster.server!r}, not a URL")
    if cluster.proxy_url and not cluster.proxy_url.startswith(_URLS):
        raise UsageError(f"{where}: the proxy-url of context {name} is {cluster.proxy_url!r}, not a http URL")
    authority = cluster.certificate_authority_data or _named(folder, cluster.certificate_authority)
    return Cluster(
        name=name,
        server=cluster.server.rstrip("/"),
        namespace=namespace or "default",
        authority=authority,
        insecure=cluster.insecure_skip_tls_verify,
        server_name=cluster.tls_server_name,
        proxy=cluster.proxy_url,
        user=user,
    )


def _user(user: _User, folder: Path, where: str) -> User:
    if user.auth_provider:
        provider = user.auth_provider.get("name", "")
        raise UsageError(
            f"{where} has the auth-provider {provider}, which Kubernetes dropped with 1.26",
            hint="renew the kubeconfig with your cloud's own tool: it writes an exec plugin today",
        )
    if user.as_:
        raise UsageError(
            f"{where} acts as {user.as_}, which weft does not",
            hint="name a context without impersonation",
        )
    plugin = user.exec
    if plugin and "/" in plugin.command:  # a relative path is one from the file
        plugin = msgspec.structs.replace(plugin, command=str(folder / plugin.command))
    return User(
        certificate=user.client_certificate_data or _named(folder, user.client_certificate),
        key=user.client_key_data or _named(folder, user.client_key),
        token=user.token,
        token_file=folder / user.token_file if user.token_file else None,
        username=user.username,
        password=user.password,
        exec=plugin,
    )


def _pick(held: Mapping[str, _Held], name: str, kind: str, where: str) -> _Held:
    if name not in held:
        known = ", ".join(sorted(held)) or "none"
        raise UsageError(f"{where}: no {kind} {name!r}", hint=f"there is {known}")
    return held[name]


def _named(folder: Path, name: str) -> bytes:
    return _file(folder / name) if name else b""


def _read(path: Path) -> _Config:
    data = parse_document(_file(path).decode(errors="replace"), where=str(path))
    try:
        return msgspec.convert(data or {}, _Config)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path} is no kubeconfig: {error}") from error


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a folder that is not ours to look into
        return False


def _file(path: Path) -> bytes:
    try:
        data = read_limited(path, _MAX_FILE)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    if data is None:
        raise UsageError(f"{path} is larger than {_MAX_FILE} bytes")
    return data
