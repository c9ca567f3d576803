"""How to reach and trust each host, as a value.

Certificates come from the options of a command, from ``SSL_CERT_FILE``, and from the folders where docker and
podman look: ``certs.d/<host[:port]>/`` with ``*.crt`` (authorities) and ``*.cert`` + ``*.key`` (ours).
"""

import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from weft.errors import UsageError
from weft.net.addresses import CLOSED, IpNetwork
from weft.net.proxies import Proxies

__all__ = ["Network", "Trust", "versions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What makes one host believable, and us to it."""

    authorities: tuple[Path, ...] = ()
    system: bool = True
    """Whether the system's authorities count too."""
    certificate: Path | None = None
    key: Path | None = None
    name: str = ""
    """Whose certificate it must be, when that is not the host's."""
    insecure: bool = False
    """Believe anybody. For one host only, and only when a person said so."""

    def check(self) -> None:
        """Raises ``UsageError`` naming the file that is wrong; a connection would fail without doing so."""
        files = [*self.authorities, *(path for path in (self.certificate, self.key) if path)]
        if files:
            _check(self, versions(files))


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """All that a run was told about the world outside. Built once, handed down."""

    proxies: Proxies = field(default_factory=Proxies)
    trust: Trust = field(default_factory=Trust)
    """For hosts that ``hosts`` does not name."""
    hosts: Mapping[str, Trust] = field(default_factory=dict)
    """By ``host`` or ``host:port``, as written in a reference."""
    certificates: tuple[Path, ...] = ()
    """``certs.d`` folders, first one wins."""
    closed: tuple[IpNetwork, ...] = CLOSED
    """Addresses never connected to."""
    socket: Path | None = None
    """A socket of this machine that leads to every host."""

    @classmethod
    def from_env(cls, env: Mapping[str, str], hosts: Mapping[str, Trust] | None = None) -> "Network":
        """Proxies, ``SSL_CERT_FILE`` and the ``certs.d`` folders of the user and the machine."""
        authorities = (Path(env["SSL_CERT_FILE"]),) if env.get("SSL_CERT_FILE") else ()
        config = Path(env.get("XDG_CONFIG_HOME") or Path(env.get("HOME", "/")) / ".config")
        folders = [config / "containers/certs.d", Path("/etc/containers/certs.d")]
        if env.get("HOME"):
            folders.append(Path(env["HOME"]) / ".docker/certs.d")
        return cls(
            proxies=Proxies.from_env(env),
            trust=Trust(authorities=authorities),
            hosts=hosts or {},
            certificates=(*folders, Path("/etc/docker/certs.d")),
        )

    def trust_for(self, host: str) -> Trust:
        """What to believe ``host[:port]`` by: told to us, else found in ``certs.d``, else the default."""
        if host in self.hosts:
            return self.hosts[host]
        for folder in self.certificates:
            if (folder / host).is_dir():
                return _from_folder(folder / host, self.trust.authorities)
        return self.trust


def _from_folder(folder: Path, authorities: tuple[Path, ...]) -> Trust:
    found = tuple(sorted(folder.glob("*.crt")))
    certificate = next(iter(sorted(folder.glob("*.cert"))), None)
    key = certificate.with_suffix(".key") if certificate else None
    return Trust(authorities=(*authorities, *found), certificate=certificate, key=key)


def versions(files: Iterable[Path]) -> tuple[object, ...]:
    """Differs as soon as one of ``files`` does: the same path may lead to something else by then."""
    return tuple(_version(path) for path in files)


def _version(path: Path) -> object:
    try:
        now = path.stat()
    except OSError:
        return None
    return now.st_dev, now.st_ino, now.st_mtime_ns, now.st_size


@lru_cache(maxsize=32)
def _check(trust: Trust, _versions: tuple[object, ...]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for path in trust.authorities:
        try:
            context.load_verify_locations(cafile=path)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(f"cannot use the authorities in {path}: {_reason(error)}") from error
    if trust.certificate:
        try:
            context.load_cert_chain(trust.certificate, trust.key, password=lambda: "")
        except (OSError, ssl.SSLError) as error:
            named = trust.certificate if trust.key is None else f"{trust.certificate} with {trust.key}"
            raise UsageError(
                f"cannot use the client certificate {named}: {_reason(error)}",
                hint="PEM files are wanted, the key without a passphrase",
            ) from error


def _reason(error: OSError) -> str:
    return getattr(error, "reason", None) or error.strerror or str(error)
