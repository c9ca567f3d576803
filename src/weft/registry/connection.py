"""Requests to one repository of one registry: authorized, persistent, and never leaking.

The rules:

* the credential goes to the registry's own origin (scheme, host, port) and nowhere else; what another host
  gets is the bare request;
* a redirect is followed for GET and HEAD only, a few times, as far as ``elsewhere`` allows;
* 401 is answered once; 408, 429, 5xx and broken connections are tried again with ``Effort``;
* everything else that was not expected is a ``RegistryError`` with the registry's own words.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from weft.base.effort import Persistence
from weft.net import Body, Http, HttpFailure, Response
from weft.registry.authorizer import Authorizer
from weft.registry.elsewhere import Misled, check_download, check_upload, join, same_origin
from weft.registry.errors import AuthFailed, ContentMismatch, RegistryError, refusal
from weft.registry.origins import Origins
from weft.registry.scopes import Scopes

__all__ = ["Connection", "Request"]

_MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OK = 200
_UNAUTHORIZED = 401
_FORBIDDEN = 403


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to ask. ``target`` is a path at the registry, or a URL that it gave us."""

    method: str
    target: str
    scopes: Scopes
    expect: frozenset[int]
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Callable[[], Body] | bytes | None = None
    """Bytes, or what gives a fresh body for each try."""

    @property
    def reads(self) -> bool:
        """Whether nothing changes when it is sent once more, somewhere else."""
        return self.method in {"GET", "HEAD"}


class Connection:
    """The way to one repository."""

    def __init__(
        self, http: Http, origins: Origins, authorizer: Authorizer, persistence: Persistence, registry: str
    ) -> None:
        self.persistence = persistence
        self.registry = registry
        self._http = http
        self._origins = origins
        self._authorizer = authorizer

    @asynccontextmanager
    async def ask(self, request: Request, *, persist: bool = True) -> AsyncIterator[Response]:
        """Send until there is an expected answer, and give it with its body unread.

        Raises ``RegistryError`` (``AuthFailed``), ``HttpFailure`` or ``Misled``. With ``persist=False`` the
        first failure counts: for a caller that must do something between two tries.
        """
        effort = self.persistence.effort()
        while True:
            async with AsyncExitStack() as stack:
                try:
                    response = await self._once(stack, request)
                except (HttpFailure, RegistryError) as error:
                    if not persist:
                        raise
                    failure = error
                else:
                    yield response
                    return
            await effort.after(failure)

    @property
    def identified(self) -> bool:
        """Whether the registry asked who we are, and was told."""
        return self._authorizer.asked

    async def home(self) -> str:
        """The registry's own URL."""
        return await self._origins.of(self.registry)

    async def _once(self, stack: AsyncExitStack, request: Request) -> Response:
        """One try: a request, its redirects, and the answer to a 401."""
        home = await self.home()
        sent = await self._authorizer.header(request.scopes)
        response = await self._send(stack, request, home, sent)
        if response.status == _UNAUTHORIZED and same_origin(response.url, home):
            await self._authorizer.challenged(
                response.all("WWW-Authenticate"),
                request.scopes,
                sent=sent,
                refused=await refusal(request.method, response),
                origin=home,
            )
            await stack.aclose()  # its connection can be used again
            response = await self._send(stack, request, home, await self._authorizer.header(request.scopes))
        if response.status in request.expect:
            if _is_page(request, response):
                raise ContentMismatch(
                    f"{self.registry} answers {request.method} with a web page, as no registry does",
                    hint="is this the registry's own address? a proxy or a login page may stand before it",
                )
            return response
        raise await self._refused(request, response, home)

    async def _refused(self, request: Request, response: Response, home: str) -> RegistryError:
        error = await refusal(request.method, response)
        if response.status not in {_UNAUTHORIZED, _FORBIDDEN}:
            return error
        if same_origin(response.url, home):
            return await self._authorizer.failed(error)
        hint = f"{self.registry} sent us there; weft shows its credential to nobody else"
        return AuthFailed(error.method, error.url, error.status, error.complaints, hint=hint)

    async def _send(
        self, stack: AsyncExitStack, request: Request, home: str, credential: str | None
    ) -> Response:
        url = join(home, request.target, home)
        if not same_origin(url, home):
            (check_download if request.reads else check_upload)(url, home)
        for _ in range(_MAX_REDIRECTS + 1):
            headers = dict(request.headers)
            if credential and same_origin(url, home):
                headers["Authorization"] = credential
            body = request.body() if callable(request.body) else request.body
            answer = self._http.request(request.method, url, headers=headers, body=body)
            response = await stack.enter_async_context(answer)
            if response.status not in _REDIRECTS or response.status in request.expect:
                return response
            url = _next(request, response, home)
            await stack.aclose()
        raise Misled(f"{self.registry} redirects more than {_MAX_REDIRECTS} times")


def _is_page(request: Request, response: Response) -> bool:
    """Whether this is for people: a server that says yes to everything, with HTML.

    A blob may be a page, and is known by its digest. Quay calls what it says itself HTML, and that it is a
    registry.
    """
    is_blob = request.method == "GET" and "/blobs/" in request.target
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    says_so = "Docker-Distribution-Api-Version" in response.headers
    return response.status == _OK and kind == "text/html" and not (is_blob or says_so)


def _next(request: Request, response: Response, home: str) -> str:
    """Where a redirect leads, if we go there."""
    location = response.headers.get("Location", "")
    if not location or not request.reads:
        raise RegistryError(
            request.method,
            response.url,
            response.status,
            hint="a redirect that weft does not follow; is this the registry's own address?",
        )
    url = join(response.url, location, home)
    check_download(url, home)
    return url
