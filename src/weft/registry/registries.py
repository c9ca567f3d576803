"""The registries of one run: who we are to each, how to reach it, how patient we are."""

from collections.abc import Set as AbstractSet

from weft.base.effort import Persistence
from weft.errors import WeftError
from weft.net import Http
from weft.registry.authorizer import Authorizer
from weft.registry.connection import Connection, Request
from weft.registry.keychain import Keychain
from weft.registry.origins import Origins
from weft.registry.repository import Repository

__all__ = ["Registries"]

_OK, _NOT_FOUND = 200, 404


class Registries:
    """Gives repositories. ``plain`` are the hosts to be spoken to without TLS, because a person said so."""

    def __init__(
        self,
        http: Http,
        keychain: Keychain | None = None,
        *,
        plain: AbstractSet[str] = frozenset(),
        persistence: Persistence | None = None,
    ) -> None:
        self._http = http
        self._keychain = keychain or Keychain()
        self._persistence = persistence or Persistence()
        self._origins = Origins(http, plain)
        self._connections: dict[tuple[str, str], Connection] = {}

    def repository(
        self, registry: str, name: str, *, mount_from: str | None = None, chunk: int = 0
    ) -> Repository:
        """The repository ``registry/name``; nothing is asked yet."""
        return Repository(self._connection(registry, name), name, mount_from=mount_from, chunk=chunk)

    async def check(self, registry: str) -> bool:
        """Ask ``registry`` whether it knows us; say whether it wanted to be shown a credential at all.

        Raises ``AuthFailed`` when it does not believe it, ``WeftError`` when it is no registry.
        """
        connection = self._connection(registry, "")
        request = Request(
            method="GET", target="/v2/", scopes=frozenset(), expect=frozenset({_OK, _NOT_FOUND})
        )
        async with connection.ask(request) as response:
            if response.status == _NOT_FOUND:
                raise WeftError(
                    f"{registry} has no /v2/: it is no image registry",
                    hint="name the registry's host, as in the reference of an image",
                )
        return connection.identified

    def forget(self) -> None:
        """Look every credential up anew from now on: a service outlives its secrets."""
        self._connections.clear()

    def _connection(self, registry: str, name: str) -> Connection:
        key = registry, name
        if key not in self._connections:
            authorizer = Authorizer(
                self._http, self._keychain, self._persistence, registry=registry, repository=name
            )
            self._connections[key] = Connection(
                self._http, self._origins, authorizer, self._persistence, registry
            )
        return self._connections[key]
