"""A cluster's API made ready to be asked: certificates, proxies and the user's own credential."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
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
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="weft-kube-")))
        trust = _trust(cluster, identity, folder)
        if cluster.server.startswith("https:"):
            _check(trust, cluster.name, folder)
        network = _network(cluster, env, trust)
        http = await stack.enter_async_context(Http(network, idle=_IDLE_SECONDS, connections=_CONNECTIONS))
        persistence = persistence or Persistence(patience=_PATIENCE)
        yield Kube(Transport(http, cluster.server, credentials, persistence), cluster)


def _trust(cluster: Cluster, identity: Identity, folder: Path) -> Trust:
    """The TLS library reads certificates from files only; the folder is ours alone."""
    texts = {
        "ca.pem": cluster.authority,
        "cert.pem": identity.certificate or cluster.user.certificate,
        "key.pem": identity.key or cluster.user.key,
    }
    paths = {name: folder / name for name, text in texts.items() if text}
    for name, path in paths.items():
        path.write_bytes(texts[name])
    return Trust(
        authorities=(paths["ca.pem"],) if "ca.pem" in paths else (),
        system="ca.pem" not in paths,
        certificate=paths.get("cert.pem"),
        key=paths.get("key.pem"),
        name=cluster.server_name,
        insecure=cluster.insecure,
    )


def _check(trust: Trust, name: str, folder: Path) -> None:
    try:
        trust.check()
    except UsageError as error:  # it names files of ours
        said = str(error).replace(f"{folder}/", "")
        raise UsageError(f"context {name}: {said}", hint=error.hint) from error


def _network(cluster: Cluster, env: Mapping[str, str], trust: Trust) -> Network:
    proxies = Proxies(cluster.proxy, cluster.proxy) if cluster.proxy else Proxies.from_env(env)
    return Network(
        proxies=proxies, hosts={urlsplit(cluster.server).netloc.rpartition("@")[2]: trust}, closed=()
    )
