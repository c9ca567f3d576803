"""A Kubernetes API in a dict, on a loopback port: what weft's client asks of one, and trouble on demand.

Left alone it behaves: objects have versions, lists are paged, watches tell the history since a version and
then what happens, old history can be forgotten. ``meet`` puts a fault in the way of some requests, ``leave``
breaks every connection and refuses new ones until ``come_back``. ``seen`` has every request.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from weft.base.effort import Persistence
from weft.kube import Cluster, Kube, open_kube
from weft.kube.kubeconfig import User
from weft.kube.selectors import matches
from worlds.clock import FakeClock
from worlds.http import Handler, hang_up, serving
from worlds.registry import Meeting, Seen

_PATH = re.compile(
    r"/(?:api/(?P<core>v1)|apis/(?P<group>[^/]+/[^/]+))"
    r"(?:/namespaces/(?P<namespace>[^/]+))?/(?P<plural>[a-z]+)(?:/(?P<name>[^/]+))?(?:/status)?"
)
_KINDS = {
    "v1": [
        ("ConfigMap", "configmaps", True),
        ("Namespace", "namespaces", False),
        ("Node", "nodes", False),
        ("Pod", "pods", True),
        ("Secret", "secrets", True),
    ],
    "apps/v1": [
        ("Deployment", "deployments", True),
        ("DaemonSet", "daemonsets", True),
        ("StatefulSet", "statefulsets", True),
    ],
    "coordination.k8s.io/v1": [("Lease", "leases", True)],
    "events.k8s.io/v1": [("Event", "events", True)],
    "extensions.istio.io/v1alpha1": [("WasmPlugin", "wasmplugins", True)],
    "gateway.envoyproxy.io/v1alpha1": [("EnvoyExtensionPolicy", "envoyextensionpolicies", True)],
    "gateway.solo.io/v1": [("Gateway", "gateways", True)],
    "networking.istio.io/v1alpha3": [("EnvoyFilter", "envoyfilters", True)],
    "weft.dev/v1alpha1": [("FilterDeployment", "filterdeployments", True)],
}
Key = tuple[str, str, str]
Document = dict[str, Any]


@dataclass
class KubeWorld:
    """One API server and what it keeps: by plural, namespace and name."""

    page: int = 500
    token: str = ""
    """Wanted of everybody, when there is one."""
    version: int = 100
    oldest: int = 0
    objects: dict[Key, Document] = field(default_factory=dict)
    history: list[tuple[int, str, Key, Document]] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    meetings: list[Meeting] = field(default_factory=list)
    watches: dict[asyncio.Queue[bytes | None], Key] = field(default_factory=dict)
    applied: dict[tuple[Key, str], Document] = field(default_factory=dict)
    host: str = ""

    # -- what a test does ---------------------------------------------------------------------------------

    def meet(self, method: str, part: str, fault: Handler, *, times: int = 1_000_000) -> None:
        """Let ``fault`` answer the next ``times`` requests whose path and query contain ``part``."""
        self.meetings.append(Meeting(method, part, fault, times))

    def requests(self, method: str = "", part: str = "") -> list[Seen]:
        """Those whose path and query contain ``part``."""
        return [one for one in self.seen if method in one.method and part in f"{one.path}?{one.query}"]

    def put(self, name: str, *, namespace: str = "default", plural: str = "configmaps", **more: Any) -> None:
        """An object, as somebody else makes or changes it."""
        kind = next(
            {"apiVersion": version, "kind": one[0]}
            for version, kinds in _KINDS.items()
            for one in kinds
            if one[1] == plural
        )
        metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
        self._keep((plural, namespace, name), {**kind, "metadata": metadata, **more})

    def mark(
        self, name: str, *, namespace: str = "default", plural: str = "configmaps", **labels: str
    ) -> None:
        """Somebody labels an object."""
        held = self.objects[plural, namespace, name]
        self._keep((plural, namespace, name), merged(held, {"metadata": {"labels": labels}}))

    def remove(self, name: str, *, namespace: str = "default", plural: str = "configmaps") -> None:
        """Somebody else removes an object."""
        self._tell("DELETED", (plural, namespace, name), self.objects.pop((plural, namespace, name)))

    def forget(self) -> None:
        """History is not kept: watches of versions before this moment are refused."""
        self.oldest = self.version
        self.history.clear()

    def say(self, line: bytes) -> None:
        """Write ``line`` into every watch as it is."""
        for queue in self.watches:
            queue.put_nowait(line)

    def bookmark(self) -> None:
        """Tell every watch how far the world is."""
        held = {"kind": "ConfigMap", "metadata": {"resourceVersion": str(self.version)}}
        self.say(json.dumps({"type": "BOOKMARK", "object": held}).encode() + b"\n")

    def end_watches(self) -> None:
        """In good order, as after ``timeoutSeconds``."""
        for queue in self.watches:
            queue.put_nowait(None)

    def leave(self) -> None:
        """Gone, as a process that was killed."""
        self.meet("", "", hang_up)
        self.say(b"")

    def come_back(self) -> None:
        """All faults are over."""
        self.meetings.clear()

    # -- the API ------------------------------------------------------------------------------------------

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {name.title(): value for name, value in request.headers.items()}
        body = await request.content.read()
        self.seen.append(Seen(request.method, request.path, request.query_string, headers, body))
        whole = f"{request.path}?{request.query_string}"
        for meeting in self.meetings:
            if meeting.times and meeting.method in request.method and meeting.part in whole:
                meeting.times -= 1
                return await meeting.fault(request)
        if self.token and headers.get("Authorization") != f"Bearer {self.token}":
            return refuse(401, "Unauthorized", "Unauthorized")
        if kinds := _KINDS.get(re.sub("^/apis?/", "", request.path)):
            named = [{"kind": kind, "name": plural, "namespaced": inside} for kind, plural, inside in kinds]
            return web.json_response({"resources": [*named, {"kind": "ConfigMap", "name": "configmaps/x"}]})
        if match := _PATH.fullmatch(request.path):
            return await self._answer(request, body, match)
        return refuse(404, "NotFound", "the server could not find the requested resource")

    async def _answer(
        self, request: web.BaseRequest, body: bytes, match: re.Match[str]
    ) -> web.StreamResponse:
        key = match["plural"], match["namespace"] or "", match["name"] or ""
        if request.query.get("watch"):
            return await self._watch(request, key)
        if request.method == "POST":
            return self._create(key[:2], json.loads(body))
        if not key[2]:
            return self._list(request.query, key)
        if request.method == "PATCH" and "apply" in request.content_type:
            return self._apply(key, json.loads(body), request.query["fieldManager"])
        return self._one(request.method, key, body)

    def _one(self, method: str, key: Key, body: bytes) -> web.Response:
        if key not in self.objects:
            return refuse(404, "NotFound", f'{key[0]} "{key[2]}" not found')
        if method == "PATCH":
            return self._merge(key, json.loads(body))
        if method == "PUT":
            return self._replace(key, json.loads(body))
        if method == "DELETE":
            self._tell("DELETED", key, self.objects.pop(key))
            return web.json_response({"status": "Success"})
        return web.json_response(self.objects[key])

    def _apply(self, key: Key, body: Document, manager: str) -> web.Response:
        """What ``manager`` applied before and does not now goes away; nobody else's field is in the way."""
        named = body["metadata"].get("resourceVersion")
        if named and named != self.objects.get(key, {"metadata": {}})["metadata"].get("resourceVersion"):
            return refuse(409, "Conflict", "the object has been modified")
        before = self.applied.get((key, manager), {})
        self.applied[key, manager] = body
        held = merged(self.objects.get(key, {}), without(before, body))
        return web.json_response(self._keep(key, merged(held, body)))

    def _merge(self, key: Key, body: Document) -> web.Response:
        named = body.get("metadata", {}).get("resourceVersion")
        if named and named != self.objects[key]["metadata"]["resourceVersion"]:
            return refuse(409, "Conflict", "the object has been modified")
        return web.json_response(self._keep(key, merged(self.objects[key], body)))

    def _create(self, place: tuple[str, str], body: Document) -> web.Response:
        metadata = body["metadata"]
        key = *place, metadata.get("name") or f"{metadata['generateName']}{self.version}"
        if key in self.objects:
            return refuse(409, "AlreadyExists", f'{key[0]} "{key[2]}" already exists')
        return web.json_response(self._keep(key, body), status=201)

    def _replace(self, key: Key, body: Document) -> web.Response:
        if body["metadata"]["resourceVersion"] != self.objects[key]["metadata"]["resourceVersion"]:
            return refuse(409, "Conflict", "the object has been modified")
        return web.json_response(self._keep(key, body))

    def _list(self, query: Mapping[str, str], key: Key) -> web.Response:
        selector = query.get("labelSelector", "")
        all_ = [
            held
            for known, held in sorted(self.objects.items())
            if _within(known, key) and matches(selector, held["metadata"].get("labels") or {})
        ]
        start = int(query.get("continue") or 0)
        end = start + self.page if query.get("limit") else len(all_)
        more = {"continue": str(end)} if end < len(all_) else {}
        metadata = {"resourceVersion": str(self.version), **more}
        items = [_without_kind(one) for one in all_[start:end]]
        return web.json_response({"metadata": metadata, "items": items})

    async def _watch(self, request: web.BaseRequest, key: Key) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        since = int(request.query["resourceVersion"])
        if since < self.oldest:
            status = {"kind": "Status", "code": 410, "reason": "Expired", "message": f"too old: {since}"}
            await response.write(json.dumps({"type": "ERROR", "object": status}).encode() + b"\n")
            return response
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        for version, kind, known, held in self.history:
            if version > since and _within(known, key):
                queue.put_nowait(_event(kind, held))
        self.watches[queue] = key
        try:
            while (line := await queue.get()) is not None:
                if not line:
                    await hang_up(request)
                    break
                await response.write(line)
        finally:
            del self.watches[queue]
        return response

    def _keep(self, key: Key, held: Document) -> Document:
        kind = "MODIFIED" if key in self.objects else "ADDED"
        self.objects[key] = held
        return self._tell(kind, key, held)

    def _tell(self, kind: str, key: Key, held: Document) -> Document:
        self.version += 1
        held["metadata"] = {**held["metadata"], "resourceVersion": str(self.version)}
        told = {**held}
        self.history.append((self.version, kind, key, told))
        for queue, asked in self.watches.items():
            if _within(key, asked):
                queue.put_nowait(_event(kind, told))
        return told


def merged(held: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    before = held if isinstance(held, dict) else {}
    changed = {key: merged(before.get(key), value) for key, value in patch.items() if value is not None}
    return {key: value for key, value in {**before, **changed}.items() if key not in patch or key in changed}


def without(before: Any, now: Any) -> Any:
    """The merge patch that takes away what ``now`` has no more."""
    if not isinstance(before, dict) or not isinstance(now, dict):
        return {}
    return {key: without(value, now[key]) if key in now else None for key, value in before.items()}


def _without_kind(held: Document) -> Document:
    """As members of a list are."""
    return {key: value for key, value in held.items() if key not in {"apiVersion", "kind"}}


def _event(kind: str, held: Document) -> bytes:
    return json.dumps({"type": kind, "object": held}).encode() + b"\n"


def _within(known: Key, asked: Key) -> bool:
    return known[0] == asked[0] and asked[1] in {"", known[1]}


def refuse(status: int, reason: str, message: str, wait: int = 0, **details: Any) -> web.Response:
    """A refusal in the API's own words."""
    body = {"kind": "Status", "code": status, "reason": reason, "message": message, "details": details}
    return web.json_response(body, status=status, headers={"Retry-After": str(wait)} if wait else None)


def refusing(status: int, reason: str, message: str, wait: int = 0, **details: Any) -> Handler:
    """A handler that refuses."""

    async def handler(_: web.BaseRequest) -> web.StreamResponse:
        return refuse(status, reason, message, wait, **details)

    return handler


@asynccontextmanager
async def open_world(world: KubeWorld | None = None) -> AsyncIterator[KubeWorld]:
    """Give a world a port of this machine until the block ends."""
    world = world or KubeWorld()
    async with serving(world.handle) as world.host:
        yield world
        world.end_watches()


@asynccontextmanager
async def open_client(
    world: KubeWorld, user: User | None = None, clock: FakeClock | None = None
) -> AsyncIterator[Kube]:
    """A client of ``world``, whose waits take no time."""
    cluster = Cluster(name="world", server=f"http://{world.host}", user=user or User())
    persistence = Persistence(clock=clock or FakeClock(), chance=lambda: 1.0)
    async with open_kube(cluster, {}, persistence) as kube:
        yield kube
