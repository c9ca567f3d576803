"""A registry in a dict, on a loopback port: the distribution spec as weft uses it, and trouble on demand.

Left alone it behaves: content is checked, uploads have state, tags are paged, referrers are listed (or not,
as by most registries). It asks for a password or for tokens when told to. ``meet`` puts a fault in the way of
some requests: a handler that answers instead, or breaks the connection. ``seen`` has every request.
"""

import asyncio
import base64
import hashlib
import json
import re
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from worlds.http import Handler, serving

_MANIFEST = re.compile(r"/v2/(?P<name>.+)/manifests/(?P<ref>[^/]+)")
_BLOB = re.compile(r"/v2/(?P<name>.+)/blobs/(?P<digest>sha256:[0-9a-f]+)")
_UPLOAD = re.compile(r"/v2/(?P<name>.+)/blobs/uploads/(?P<id>[^/]*)")
_TAGS = re.compile(r"/v2/(?P<name>.+)/tags/list")
_REFERRERS = re.compile(r"/v2/(?P<name>.+)/referrers/(?P<digest>sha256:[0-9a-f]+)")


@dataclass(frozen=True)
class Seen:
    """A request that came in."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def authorization(self) -> str | None:
        return self.headers.get("Authorization")

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass
class Meeting:
    """A fault that waits for requests."""

    method: str
    part: str
    fault: Handler
    times: int


@dataclass
class RegistryWorld:
    """One registry. ``referrers``: whether it has that API."""

    referrers: bool = True
    auth: str = ""
    """Empty, ``basic`` or ``token``."""
    password: str = "secret"
    token_seconds: int = 300
    page: int = 1000
    blobs: dict[str, bytes] = field(default_factory=dict)
    owned: set[tuple[str, str]] = field(default_factory=set)
    manifests: dict[tuple[str, str], tuple[bytes, str]] = field(default_factory=dict)
    uploads: dict[str, bytearray] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    meetings: list[Meeting] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)
    realm: str = ""
    host: str = ""

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def meet(self, method: str, part: str, fault: Handler, *, times: int = 1_000_000) -> None:
        """Let ``fault`` answer the next ``times`` requests whose path contains ``part``."""
        self.meetings.append(Meeting(method, part, fault, times))

    def requests(self, method: str = "", part: str = "") -> list[Seen]:
        return [seen for seen in self.seen if method in seen.method and part in seen.path]

    def add_blob(self, name: str, data: bytes) -> str:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        self.blobs[digest] = data
        self.owned.add((name, digest))
        return digest

    def add_manifest(self, name: str, tag: str, raw: bytes, kind: str) -> str:
        digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
        self.manifests[name, digest] = self.manifests[name, tag] = raw, kind
        return digest

    def expire_tokens(self) -> None:
        self.tokens.clear()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {name.title(): value for name, value in request.headers.items()}
        for meeting in self.meetings:
            if meeting.times and meeting.method in request.method and meeting.part in request.path:
                meeting.times -= 1
                self.seen.append(Seen(request.method, request.path, request.query_string, headers))
                return await meeting.fault(request)
        body = await request.content.read()
        self.seen.append(Seen(request.method, request.path, request.query_string, headers, body))
        if request.path == "/token":
            return self._token(request)
        if refusal := self._refused(request):
            return refusal
        return self._answer(request, body)

    # -- who is it ---------------------------------------------------------------------------------------

    def _refused(self, request: web.BaseRequest) -> web.Response | None:
        given = request.headers.get("Authorization", "")
        basic = f"Basic {base64.b64encode(f'me:{self.password}'.encode()).decode()}"
        if not self.auth or (self.auth == "basic" and given == basic):
            return None
        if self.auth == "token":
            scope = self.tokens.get(given.removeprefix("Bearer "))
            if scope is not None and _allows(scope, _needed(request)):
                return None
            realm = self.realm or f"{self.url}/token"
            asked = f'Bearer realm="{realm}",service="world",scope="{_needed(request)}"'
        else:
            asked = 'Basic realm="world"'
        return error(401, "UNAUTHORIZED", "authentication required", {"WWW-Authenticate": asked})

    def _token(self, request: web.BaseRequest) -> web.Response:
        given = request.headers.get("Authorization")
        basic = f"Basic {base64.b64encode(f'me:{self.password}'.encode()).decode()}"
        if given != basic:
            return error(401, "UNAUTHORIZED", "incorrect username or password")
        token = f"token-{len(self.tokens)}-{len(self.seen)}"
        self.tokens[token] = " ".join(request.query.getall("scope", []))
        return web.json_response({"token": token, "expires_in": self.token_seconds})

    # -- what do they want -------------------------------------------------------------------------------

    def _answer(self, request: web.BaseRequest, body: bytes) -> web.Response:
        if request.path == "/v2/":
            return web.json_response({})
        kinds = (
            (_UPLOAD, self._upload),
            (_MANIFEST, self._manifest),
            (_BLOB, self._blob),
            (_TAGS, self._tags),
            (_REFERRERS, self._referrers),
        )
        for pattern, answer in kinds:
            if match := pattern.fullmatch(request.path):
                return answer(request, body, match)
        return error(404, "NOT_FOUND", "no such page")

    def _blob(self, request: web.BaseRequest, _: bytes, match: re.Match[str]) -> web.Response:
        data = self.blobs.get(match["digest"])
        if data is None or (match["name"], match["digest"]) not in self.owned:
            return error(404, "BLOB_UNKNOWN", "blob unknown to registry")
        if request.method == "DELETE":
            self.owned.remove((match["name"], match["digest"]))
            return web.Response(status=202)
        if asked := re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", "")):
            start = int(asked[1])
            span = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}
            return web.Response(status=206, body=data[start:], headers=span)
        return web.Response(body=data)

    def _manifest(self, request: web.BaseRequest, body: bytes, match: re.Match[str]) -> web.Response:
        key = match["name"], match["ref"]
        if request.method == "PUT":
            digest = self.add_manifest(*key, body, request.headers["Content-Type"])
            subject = json.loads(body).get("subject")
            noted = {"OCI-Subject": subject["digest"]} if subject and self.referrers else {}
            return web.Response(status=201, headers={"Docker-Content-Digest": digest, **noted})
        if key not in self.manifests:
            return error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        raw, kind = self.manifests[key]
        if request.method == "DELETE":
            for other in [known for known, held in self.manifests.items() if held[0] == raw]:
                if other == key or match["ref"].startswith("sha256:"):
                    del self.manifests[other]
            return web.Response(status=202)
        digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
        return web.Response(body=raw, headers={"Content-Type": kind, "Docker-Content-Digest": digest})

    def _upload(self, request: web.BaseRequest, body: bytes, match: re.Match[str]) -> web.Response:
        name, session = match["name"], match["id"]
        if request.method == "POST":
            mount = request.query.get("mount")
            if mount and (request.query.get("from", ""), mount) in self.owned:
                self.owned.add((name, mount))
                return web.Response(status=201, headers={"Docker-Content-Digest": mount})
            session = str(len(self.uploads))
            self.uploads[session] = bytearray()
        elif session not in self.uploads:
            return error(404, "BLOB_UPLOAD_UNKNOWN", "upload unknown")
        held = self.uploads[session]
        place = {"Location": f"/v2/{name}/blobs/uploads/{session}?state={len(held)}"}
        if request.method == "PATCH":
            if (span := request.headers.get("Content-Range")) and int(span.partition("-")[0]) != len(held):
                return error(416, "RANGE_INVALID", "out of order")
            held += body
        if request.method == "PUT":
            held += body
            if self.add_blob(name, bytes(held)) != request.query["digest"]:
                return error(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
            return web.Response(status=201, headers={"Docker-Content-Digest": request.query["digest"]})
        status = 204 if request.method == "GET" else 202
        return web.Response(status=status, headers={**place, "Range": f"0-{max(len(held) - 1, 0)}"})

    def _tags(self, request: web.BaseRequest, _: bytes, match: re.Match[str]) -> web.Response:
        name = match["name"]
        tags = sorted(ref for owner, ref in self.manifests if owner == name and ":" not in ref)
        if not tags:
            return error(404, "NAME_UNKNOWN", "repository name not known to registry")
        last = request.query.get("last", "")
        rest = [tag for tag in tags if tag > last]
        here = rest[: self.page]
        link = {"Link": f'</v2/{name}/tags/list?last={here[-1]}>; rel="next"'} if rest[self.page :] else {}
        return web.json_response({"name": name, "tags": here}, headers=link)

    def _referrers(self, _: web.BaseRequest, __: bytes, match: re.Match[str]) -> web.Response:
        if not self.referrers:
            return error(404, "NOT_FOUND", "no such page")
        found = []
        for (name, ref), (raw, kind) in self.manifests.items():
            document = json.loads(raw)
            here = name == match["name"] and ":" in ref
            if here and document.get("subject", {}).get("digest") == match["digest"]:
                artifact = document.get("artifactType") or document["config"]["mediaType"]
                entry = {"mediaType": kind, "digest": ref, "size": len(raw), "artifactType": artifact}
                found.append(entry | {"annotations": document.get("annotations", {})})
        kind = "application/vnd.oci.image.index.v1+json"
        index = {"schemaVersion": 2, "mediaType": kind, "manifests": found}
        return web.Response(body=json.dumps(index).encode(), headers={"Content-Type": kind})


def error(
    status: int, code: str, message: str, headers: dict[str, str] | None = None, **more: Any
) -> web.Response:
    """A refusal in the registry's own words."""
    entry = {"code": code, "message": message, **more}
    return web.json_response({"errors": [entry]}, status=status, headers=headers)


@asynccontextmanager
async def open_registry(
    world: RegistryWorld | None = None, ssl_context: ssl.SSLContext | None = None
) -> AsyncIterator[RegistryWorld]:
    """Give a world a port of this machine until the block ends."""
    world = world or RegistryWorld()
    async with serving(world.handle, ssl_context) as world.host:
        yield world


def _needed(request: web.BaseRequest) -> str:
    """The scope a request needs, as distribution computes it."""
    match = re.match(r"/v2/(.+)/(?:blobs|manifests|tags|referrers)/", request.path)
    if not match:
        return ""
    actions = {"GET": "pull", "HEAD": "pull", "DELETE": "delete"}.get(request.method, "pull,push")
    return f"repository:{match[1]}:{actions}"


def _allows(granted: str, needed: str) -> bool:
    if not needed:
        return True
    resource, _, actions = needed.rpartition(":")
    have: set[str] = set()
    for scope in granted.split():
        name, _, some = scope.rpartition(":")
        if name == resource:
            have |= set(some.split(","))
    return set(actions.split(",")) <= have


@contextmanager
def registry_in_thread(world: RegistryWorld | None = None) -> Iterator[RegistryWorld]:
    """As ``open_registry``, on a loop of its own: for tests that run the whole program."""
    world = world or RegistryWorld()
    ready, loop = threading.Event(), asyncio.new_event_loop()
    over = asyncio.Event()

    async def serve() -> None:
        async with open_registry(world):
            ready.set()
            await over.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert ready.wait(10)
    try:
        yield world
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        loop.close()
