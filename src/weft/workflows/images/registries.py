"""Open the registries of one run: whose credential, which trust, which proxies.

What a command is told counts for the registries named on its command line; what stands in the environment
counts always: ``WEFT_REGISTRY_PLAIN_HTTP`` and ``WEFT_REGISTRY_INSECURE`` (hosts, with commas), and
``WEFT_REGISTRY_CA_FILE``.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from weft.base.paths import Places
from weft.errors import UsageError
from weft.net import Http, Network, Trust
from weft.registry import Credential, Handed, Keychain, Registries

__all__ = ["Access", "open_registries"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a command was told about its registries."""

    username: str = ""
    password: str = field(default="", repr=False)
    insecure: bool = False
    plain_http: bool = False
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    @property
    def says_trust(self) -> bool:
        """Whether anything was said about certificates."""
        return self.insecure or any((self.ca_file, self.cert_file, self.key_file))


@asynccontextmanager
async def open_registries(
    env: Mapping[str, str],
    hosts: Iterable[str],
    access: Access | None = None,
    *,
    given: Mapping[str, Credential] | None = None,
    handed: Handed | None = None,
) -> AsyncIterator[Registries]:
    """The registries of this run; ``access`` is for ``hosts`` alone, ``given`` is by host.

    What is put into ``handed`` later counts from then on. Raises ``UsageError``.
    """
    access = access or Access()
    named = set(hosts)
    if access.password and not access.username:
        raise UsageError("a password without a user name", hint="add -u NAME")
    told = {host: Credential(access.username, access.password, source="the command line") for host in named}
    given = {**(given or {}), **(told if access.username else {})}
    own = Places.from_env(env).credentials
    keychain = Keychain(env=env, own=own, given=given, handed=handed or Handed())
    plain = _listed(env, "WEFT_REGISTRY_PLAIN_HTTP") | (named if access.plain_http else set())
    async with Http(_network(env, named, access)) as http:
        yield Registries(http, keychain, plain=plain)


def _network(env: Mapping[str, str], named: set[str], access: Access) -> Network:
    network = Network.from_env(env)
    if env.get("WEFT_REGISTRY_CA_FILE"):
        authorities = (*network.trust.authorities, Path(env["WEFT_REGISTRY_CA_FILE"]))
        network = replace(network, trust=replace(network.trust, authorities=authorities))
    trusts = {host: network.trust_for(host) for host in named} if access.says_trust else {}
    told = {host: _told(trust, access) for host, trust in trusts.items()}
    lax = {
        host: replace(network.trust_for(host), insecure=True)
        for host in _listed(env, "WEFT_REGISTRY_INSECURE")
    }
    return replace(network, hosts=lax | told)


def _told(trust: Trust, access: Access) -> Trust:
    return Trust(
        authorities=(*trust.authorities, access.ca_file) if access.ca_file else trust.authorities,
        certificate=access.cert_file or trust.certificate,
        key=access.key_file or trust.key,
        insecure=access.insecure,
    )


def _listed(env: Mapping[str, str], name: str) -> set[str]:
    return {host.strip() for host in env.get(name, "").split(",") if host.strip()}
