"""How a request reaches the API, and what is done when it does not.

One is sent again when the API asks for patience or the connection broke, unless sending it twice could do
something twice; a refused credential is renewed once.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from weft.base.effort import Persistence
from weft.kube.credentials import Credentials
from weft.kube.errors import KubeError, refusal
from weft.net import Http, HttpFailure, Response, Untrusted

__all__ = ["Ask", "Transport"]

_MAX_ANSWER = 256 * 1024 * 1024
_MAX_REFUSAL = 1024 * 1024
_UNAUTHORIZED = 401
_ANSWERED = range(200, 300)
_SILENT = "it is the cluster's API server; --context and KUBECONFIG say which cluster"
_UNTRUSTED = "the kubeconfig's certificate-authority must be who signed its certificate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request."""

    method: str
    path: str
    what: str
    """For people: ``get Deployment default/details``."""
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    content_type: str = "application/json"

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent again when nobody knows if it arrived."""
        return self.method != "POST"


class Transport:
    """The way to one API server."""

    def __init__(self, http: Http, server: str, credentials: Credentials, persistence: Persistence) -> None:
        self._http = http
        self._server = server
        self._credentials = credentials
        self._persistence = persistence

    async def ask(self, ask: Ask) -> dict[str, Any]:
        """The answer's document; raises ``KubeError`` or ``HttpFailure``."""
        return _document(await self.text(ask), ask.what)

    async def text(self, ask: Ask) -> bytes:
        """The answer as it came; raises as ``ask`` does."""
        effort = self._persistence.effort()
        while True:
            failure: HttpFailure | KubeError
            try:
                async with self.once(ask) as response:
                    return await response.read(_MAX_ANSWER, ask.what)
            except HttpFailure as error:
                if not ask.repeatable:
                    raise
                failure = error
            except KubeError as error:
                if not (ask.repeatable or error.wait):  # it may have been done all the same
                    raise
                failure = error
            await effort.after(failure)

    @asynccontextmanager
    async def once(self, ask: Ask) -> AsyncIterator[Response]:
        """One try, twice where a credential had to be renewed; raises ``KubeError`` for a refusal."""
        fresh = False
        while True:
            known = await self._credentials.header()
            async with self._send(ask, known) as response:
                if response.status in _ANSWERED:
                    yield response
                    return
                if response.status != _UNAUTHORIZED or fresh or not self._credentials.forget(known):
                    raise await _refused(ask, response)
            fresh = True

    @asynccontextmanager
    async def _send(self, ask: Ask, known: Mapping[str, str]) -> AsyncIterator[Response]:
        query = f"?{urlencode(ask.query)}" if ask.query else ""
        headers = {"Accept": "application/json", **known}
        body = None
        if ask.body is not None:
            headers["Content-Type"] = ask.content_type
            body = json.dumps(ask.body, separators=(",", ":")).encode()
        url = f"{self._server}{ask.path}{query}"
        try:
            async with self._http.request(ask.method, url, headers=headers, body=body) as response:
                yield response
        except HttpFailure as error:
            error.hint = _UNTRUSTED if isinstance(error, Untrusted) else error.hint or _SILENT
            raise


def _document(text: bytes, what: str) -> dict[str, Any]:
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise HttpFailure(f"{what}: the answer is not JSON", temporary=False) from error
    return answer if isinstance(answer, dict) else {}


async def _refused(ask: Ask, response: Response) -> KubeError:
    text = await response.read(_MAX_REFUSAL, ask.what)
    try:
        status = json.loads(text)
    except (ValueError, RecursionError):
        status = {"message": text.decode(errors="replace")[:500]}
    return refusal(ask.what, status, response.status, response.retry_after)
