"""A cluster's API made ready to be asked: certificates, proxies and the user's own credential."""

import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from weft.base.effort import Persistence
from weft.base.retry import Patience
from weft.errors import UsageError
from weft.kube.client import Kube
from weft.kube.credentials import Credentials, Identity
from weft.kube.kubeconfig import Cluster
from weft.kube.transport import Transport
from weft.net import Http, Network, Proxies, Trust

__all__ = ["open_kube"]

_IDLE_SECONDS = 90.0
# Watches stay open: the operator has about ten beside its sixteen workers.
_CONNECTIONS = 48
_PATIENCE = Patience(tries=5, deadline=30.0)


@asynccontextmanager
async def open_kube(
    cluster: Cluster, env: Mapping[str, str], persistence: Persistence | None = None
) -> AsyncIterator["Kube"]:
    """A connection to ``cluster``; ``env`` is for its credential program and proxies.

    Nothing is asked yet. Raises ``UsageError`` for certificates that cannot be used.
    """
    credentials = Credentials(cluster, env)
    identity = await credentials.identity() if cluster.user.exec else Identity()
    async with AsyncExitStack() as stack:
        files = {
            name: stack.enter_context(_readable(name, text))
            for name, text in _texts(cluster, identity).items()
            if text
        }
        trust = _trust(cluster, files)
        if cluster.server.startswith("https:"):
            _check(trust, cluster.name, files)
        network = _network(cluster, env, trust)
        http = await stack.enter_async_context(Http(network, idle=_IDLE_SECONDS, connections=_CONNECTIONS))
        persistence = persistence or Persistence(patience=_PATIENCE)
        yield Kube(Transport(http, cluster.server, credentials, persistence), cluster)


def _texts(cluster: Cluster, identity: Identity) -> dict[str, bytes]:
    return {
        "ca.pem": cluster.authority,
        "cert.pem": identity.certificate or cluster.user.certificate,
        "key.pem": identity.key or cluster.user.key,
    }


@contextmanager
def _readable(name: str, text: bytes) -> Iterator[Path]:
    """A place for those who read files only: in memory where the system can, so that nothing outlives us."""
    with ExitStack() as stack:
        if hasattr(os, "memfd_create"):
            file = stack.enter_context(os.fdopen(os.memfd_create(name), "wb"))
            path = Path(f"/proc/self/fd/{file.fileno()}")
        else:
            path = Path(stack.enter_context(TemporaryDirectory(prefix="weft-kube-"))) / name
            file = stack.enter_context(path.open("wb"))
        file.write(text)
        file.flush()
        yield path


def _trust(cluster: Cluster, files: Mapping[str, Path]) -> Trust:
    return Trust(
        authorities=(files["ca.pem"],) if "ca.pem" in files else (),
        system="ca.pem" not in files,
        certificate=files.get("cert.pem"),
        key=files.get("key.pem"),
        name=cluster.server_name,
        insecure=cluster.insecure,
    )


def _check(trust: Trust, name: str, files: Mapping[str, Path]) -> None:
    try:
        trust.check()
    except UsageError as error:  # it names files of ours
        said = str(error)
        for known, path in files.items():
            said = said.replace(str(path), known)
        raise UsageError(f"context {name}: {said}", hint=error.hint) from error


def _network(cluster: Cluster, env: Mapping[str, str], trust: Trust) -> Network:
    proxies = Proxies(cluster.proxy, cluster.proxy) if cluster.proxy else Proxies.from_env(env)
    return Network(
        proxies=proxies, hosts={urlsplit(cluster.server).netloc.rpartition("@")[2]: trust}, closed=()
    )
