"""What to show a registry: nothing until it asks, then a password or a token, never to anybody else.

One ``Authorizer`` belongs to one repository of one registry. Tokens are kept per set of scopes until shortly
before they expire; a 401 throws the token away that was refused and fetches one more, once. A wrong password
is never tried twice. Where tokens may come from is decided by ``elsewhere``; that only the registry itself
gets what ``header`` gives is ``connection``'s business.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from weft.base.effort import Persistence
from weft.net import Http, HttpFailure
from weft.oci import JsonView
from weft.registry.challenge import parse_challenges
from weft.registry.credentials import Credential
from weft.registry.elsewhere import check_realm
from weft.registry.errors import AuthFailed, RegistryError, refusal
from weft.registry.keychain import Keychain
from weft.registry.scopes import Scopes, merge

__all__ = ["Authorizer"]

# The longest tokens seen (Azure, GitLab) have about 10 KiB.
_MAX_TOKEN_BYTES = 256 * 1024
_PRINTABLE = re.compile(r"[\x21-\x7e]+")
# distribution: "expires_in … defaults to 60 seconds"; ask anew a little earlier.
_DEFAULT_SECONDS = 60
_MARGIN_SECONDS = 5.0
_OK = 200
_REFUSALS = frozenset({400, 401, 403})


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = field(repr=False)
    expires_at: float


@dataclass(frozen=True, slots=True)
class _Realm:
    url: str
    service: str


class Authorizer:
    """The credential for one repository, and the tokens it was exchanged for."""

    def __init__(
        self, http: Http, keychain: Keychain, persistence: Persistence, *, registry: str, repository: str = ""
    ) -> None:
        self._http = http
        self._keychain = keychain
        self._persistence = persistence
        self._registry = registry
        self._repository = repository
        self._credential: list[Credential | None] = []  # looked up once, on the first challenge
        self._basic: str | None = None
        self._realm: _Realm | None = None
        self._wanted: dict[Scopes, Scopes] = {}
        self._tokens: dict[Scopes, _Token] = {}
        self._fetching = asyncio.Lock()

    @property
    def asked(self) -> bool:
        """Whether the registry ever asked for a credential."""
        return self._realm is not None or self._basic is not None

    async def header(self, scopes: Scopes) -> str | None:
        """The ``Authorization`` for a request that needs ``scopes``; ``None`` until the registry asked."""
        if self._realm:
            return f"Bearer {await self._token(scopes, self._realm)}"
        return self._basic

    async def challenged(
        self, asked: Sequence[str], scopes: Scopes, *, sent: str | None, refused: RegistryError, origin: str
    ) -> None:
        """Take note of a 401 with these ``WWW-Authenticate`` values, so that ``header`` has the answer.

        Raises ``AuthFailed`` when there is none, ``Misled`` for a realm where no credential may go.
        """
        challenges = {challenge.scheme: challenge.parameters for challenge in parse_challenges(asked)}
        if parameters := challenges.get("bearer"):
            check_realm(parameters.get("realm", ""), origin)
            self._realm = _Realm(parameters["realm"], parameters.get("service", ""))
            self._wanted[scopes] = merge(scopes, parameters.get("scope", "").split())
            token = self._tokens.get(scopes)
            if token and sent == f"Bearer {token.value}":
                del self._tokens[scopes]
            return
        credential = await self._lookup()
        basic = f"Basic {credential.basic}" if credential and credential.username else None
        if "basic" not in challenges or basic is None or sent == basic:
            raise await self.failed(refused)
        self._basic = basic

    async def failed(self, refused: RegistryError) -> AuthFailed:
        """``refused`` as a failure that trying again will not cure, with what may."""
        credential = await self._lookup()
        if credential is None:
            hint = f"log in first: weft login {self._registry}"
        else:
            hint = f"the credential from {credential.source} is wrong, or not enough for this"
            self._keychain.handed.refuse(self._registry, self._repository, credential)
        hint = "\n".join([hint, *self._keychain.notes])
        return AuthFailed(refused.method, refused.url, refused.status, refused.complaints, hint=hint)

    async def _lookup(self) -> Credential | None:
        if not self._credential:
            self._credential.append(await self._keychain.lookup(self._registry, self._repository))
        return self._credential[0]

    async def _token(self, scopes: Scopes, realm: _Realm) -> str:
        async with self._fetching:
            token = self._tokens.get(scopes)
            if token is None or self._persistence.clock.now() >= token.expires_at:
                token = await self._fetch(realm, self._wanted.get(scopes, scopes))
                self._tokens[scopes] = token
            return token.value

    async def _fetch(self, realm: _Realm, scopes: Scopes) -> _Token:
        """Exchange the credential, or nothing, for a token."""
        credential = await self._lookup()
        if credential and credential.registry_token:
            return _Token(credential.registry_token, float("inf"))
        asked_at = self._persistence.clock.now()
        raw = await self._exchange(realm, sorted(scopes), credential)
        view = JsonView.parse(raw, document=f"the token from {realm.url}", limit=_MAX_TOKEN_BYTES)
        value = view.get("token", "access_token")
        if not _PRINTABLE.fullmatch(value.text()):
            value.wrong("is no token")
        seconds = view.get("expires_in")
        lifetime = float(seconds.integer() if seconds else _DEFAULT_SECONDS)
        return _Token(value.text(), asked_at + lifetime - min(_MARGIN_SECONDS, lifetime / 2))

    async def _exchange(self, realm: _Realm, scopes: list[str], credential: Credential | None) -> bytes:
        """The token document; raises ``AuthFailed`` when the realm does not believe the credential."""
        method, url, headers, body = _token_request(realm, scopes, credential)
        effort = self._persistence.effort()
        while True:
            try:
                async with self._http.request(method, url, headers=headers, body=body) as response:
                    if response.status == _OK:
                        return await response.read(_MAX_TOKEN_BYTES, "the token")
                    refused = await refusal(method, response)
                if refused.status in _REFUSALS:
                    refused = await self.failed(refused)
                await effort.after(refused)
            except HttpFailure as error:
                await effort.after(error)


def _token_request(
    realm: _Realm, scopes: list[str], credential: Credential | None
) -> tuple[str, str, dict[str, str], bytes | None]:
    """Method, URL, headers, body: GET with a password or as nobody, POST with a refresh token.

    distribution, "Token Authentication Specification" and "OAuth2 Token Authentication".
    """
    if credential and credential.identity_token:
        form = {
            "grant_type": "refresh_token",
            "service": realm.service,
            "client_id": "weft",
            "scope": " ".join(scopes),
            "refresh_token": credential.identity_token,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return "POST", realm.url, headers, urlencode(form).encode()
    query = [("service", realm.service)] if realm.service else []
    query += [("scope", scope) for scope in scopes]
    joint = "&" if "?" in realm.url else "?"
    headers = {"Authorization": f"Basic {credential.basic}"} if credential else {}
    return "GET", f"{realm.url}{joint if query else ''}{urlencode(query)}", headers, None
