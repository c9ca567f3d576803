"""One cluster's API: each method one request, tried again where that is right, in the API's own words.

Objects are plain data. Changes are made by server-side apply, so that what others own stays theirs. Kinds are
found by discovery, so what a cluster does not know is said at once.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from weft.errors import UsageError
from weft.kube.errors import Expired, Missing, refusal
from weft.kube.kubeconfig import Cluster
from weft.kube.objects import Listing, Object, Ref, Resource
from weft.kube.pages import Page
from weft.kube.transport import Ask, Transport
from weft.net import HttpFailure, Response

__all__ = ["Kube", "WatchEvent"]

Read = TypeVar("Read")
_PAGE = 500
# The API ends a watch after this time and we start the next; a dead connection is noticed so much sooner.
_WATCH_SECONDS = 50
_MAX_LINE = 64 * 1024 * 1024
_ERROR = "ERROR"
_EVERYWHERE = frozenset({"v1", "apps/v1"})


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """``ADDED``, ``MODIFIED``, ``DELETED`` or ``BOOKMARK``, and the object as it is then."""

    type: str
    object: Object


class Kube:
    """The API of one cluster."""

    def __init__(self, transport: Transport, cluster: Cluster) -> None:
        self.cluster = cluster
        self.transport = transport
        self._ask = transport.ask
        self._kinds: dict[str, dict[str, Resource]] = {}

    async def resource(self, api_version: str, kind: str) -> Resource:
        """Where objects of ``kind`` are kept; raises ``Missing`` when the cluster does not know it."""
        kinds = self._kinds.get(api_version)
        if kinds is None or kind not in kinds:
            kinds = self._kinds[api_version] = await self._discover(api_version, kind)
        if kind not in kinds:
            raise _unknown(api_version, kind, self.cluster)
        return kinds[kind]

    async def knows(self, api_version: str, kind: str) -> bool:
        """Whether the cluster has ``kind``."""
        try:
            await self.resource(api_version, kind)
        except Missing:
            return False
        return True

    async def version(self) -> str:
        """The API server's own, ``v1.36.2``."""
        answer = await self._ask(Ask(method="GET", path="/version", what="ask for the version"))
        return str(answer.get("gitVersion", ""))

    async def get(self, ref: Ref) -> Object:
        """The object; raises ``Missing`` when there is none."""
        return await self._ask(await self._on("GET", ref, "get"))

    async def find(self, ref: Ref) -> Object | None:
        """The object, or ``None`` when there is none or no such kind."""
        try:
            return await self.get(ref)
        except Missing:
            return None

    async def list(
        self,
        api_version: str,
        kind: str,
        *,
        namespace: str = "",
        labels: str = "",
        fields: str = "",
        keep: Callable[[Object], Object] = lambda held: held,
    ) -> Listing:
        """All objects of ``kind``, of one namespace or of all, read in pages.

        ``labels`` and ``fields`` are selectors in the API's own form; ``keep`` gives what to keep of an
        object, so that never more than one of them is held whole.
        """
        resource = await self.resource(api_version, kind)
        query = {"limit": str(_PAGE)} | _selectors(labels, fields)
        items: list[Object] = []
        what = f"list {resource.plural}" + (f" in {namespace}" if namespace else "")
        while True:
            ask = Ask(method="GET", path=resource.path(namespace), query=query, what=what)
            try:
                page = Page(await self.transport.text(ask), what)
            except Expired:  # we were too slow for pages of one moment: all at once, then
                if "limit" not in query:
                    raise
                query, items = _selectors(labels, fields), []
                continue
            # Members of a list do not say their kind.
            items += (keep({"apiVersion": api_version, "kind": kind, **one}) for one in page)
            if not page.rest:
                return Listing(tuple(items), page.version)
            query["continue"] = page.rest

    async def read(
        self,
        api_version: str,
        kind: str,
        of: Callable[[Object], Read],
        *,
        namespace: str = "",
        labels: str = "",
    ) -> tuple[Read, ...]:
        """All objects of ``kind``, each as ``of`` reads it."""
        return tuple(map(of, (await self.list(api_version, kind, namespace=namespace, labels=labels)).items))

    async def apply(
        self, held: Object, *, manager: str, force: bool = False, dry_run: bool = False, subresource: str = ""
    ) -> Object:
        """Make the object's fields so (server-side apply), as ``manager``; gives the whole object.

        What ``manager`` applied before and ``held`` no longer has goes away. Raises ``Conflict`` naming
        the fields that others own, unless ``force`` takes them.
        """
        query = {"fieldManager": manager, "force": "true" if force else "false"}
        query |= {"dryRun": "All"} if dry_run else {}
        ask = await self._on(
            "PATCH",
            Ref.of(held),
            "apply",
            subresource=subresource,
            query=query,
            body=held,
            content_type="application/apply-patch+yaml",
        )
        return await self._ask(ask)

    async def merge(
        self, ref: Ref, patch: Mapping[str, Any], *, subresource: str = "", strict: bool = False
    ) -> Object:
        """Change fields by a merge patch (RFC 7396).

        With ``strict`` the API refuses a field that the kind does not have, and would drop silently. With a
        ``resourceVersion`` in it, raises ``Conflict`` when that is no longer current.
        """
        ask = await self._on(
            "PATCH",
            ref,
            "patch",
            subresource=subresource,
            query={"fieldValidation": "Strict"} if strict else None,
            body=patch,
            content_type="application/merge-patch+json",
        )
        return await self._ask(ask)

    async def create(self, held: Object) -> Object:
        """Make an object that must not be there yet; raises ``KubeError`` with reason AlreadyExists."""
        ref = Ref.of(held)
        resource = await self.resource(ref.api_version, ref.kind)
        path = resource.path(self._namespace(ref, resource))
        return await self._ask(Ask(method="POST", path=path, what=f"create {ref}", body=held))

    async def replace(self, held: Object) -> Object:
        """Put the whole object; raises ``Conflict`` when its ``resourceVersion`` is no longer current."""
        return await self._ask(await self._on("PUT", Ref.of(held), "replace", body=held))

    async def delete(self, ref: Ref, *, uid: str = "", wait_for_children: bool = False) -> bool:
        """Remove the object; gives whether it was there.

        With ``uid`` only that very one: raises ``Conflict`` when another has its name now.
        """
        options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions"}
        options["propagationPolicy"] = "Foreground" if wait_for_children else "Background"
        options |= {"preconditions": {"uid": uid}} if uid else {}
        try:
            await self._ask(await self._on("DELETE", ref, "delete", body=options))
        except Missing:
            return False
        return True

    async def allowed(
        self, verb: str, group: str, plural: str, *, namespace: str = "", name: str = "", user: str = ""
    ) -> bool:
        """Whether we may do that, or ``user`` (SelfSubjectAccessReview, SubjectAccessReview).

        ``plural`` may have a subresource, ``name`` is of one object.
        """
        plural, _, subresource = plural.partition("/")
        attributes = {"verb": verb, "group": group, "resource": plural, "subresource": subresource}
        attributes |= {"namespace": namespace, "name": name}
        kind = "SubjectAccessReview" if user else "SelfSubjectAccessReview"
        spec: dict[str, Any] = {"resourceAttributes": attributes} | ({"user": user} if user else {})
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec}
        path = f"/apis/authorization.k8s.io/v1/{kind.lower()}s"
        answer = await self._ask(Ask(method="POST", path=path, what="ask who may do what", body=review))
        return bool(answer.get("status", {}).get("allowed"))

    async def watch(
        self,
        api_version: str,
        kind: str,
        since: str,
        *,
        namespace: str = "",
        labels: str = "",
        fields: str = "",
    ) -> AsyncGenerator[WatchEvent, None]:
        """What happens to objects of ``kind`` after ``since``, until the API ends the watch in good order.

        Raises ``Expired`` when ``since`` is too long ago, ``HttpFailure`` when the connection breaks; nothing
        is tried again. Who leaves before the end closes the generator (``aclosing``).
        """
        resource = await self.resource(api_version, kind)
        query = {
            "watch": "1",
            "resourceVersion": since,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(_WATCH_SECONDS),
        } | _selectors(labels, fields)
        ask = Ask(method="GET", path=resource.path(namespace), query=query, what=f"watch {resource.plural}")
        async with self.transport.once(ask) as response:
            async for line in _lines(response, ask.what):
                yield _event(line, ask.what)

    async def _discover(self, api_version: str, kind: str) -> dict[str, Resource]:
        root = "/api" if "/" not in api_version else "/apis"
        try:
            answer = await self._ask(
                Ask(method="GET", path=f"{root}/{api_version}", what=f"look for {api_version}")
            )
        except Missing:
            raise _unknown(api_version, kind, self.cluster) from None
        return {
            one["kind"]: Resource(api_version, one["kind"], one["name"], one["namespaced"])
            for one in answer.get("resources") or ()
            if "/" not in one["name"]
        }

    async def _on(
        self,
        method: str,
        ref: Ref,
        verb: str,
        *,
        subresource: str = "",
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> Ask:
        if not ref.name or "/" in ref.name:  # the path would be that of something else, or of all
            raise UsageError(f"{verb} {ref}: {ref.name!r} is not a name")
        resource = await self.resource(ref.api_version, ref.kind)
        return Ask(
            method=method,
            path=resource.path(self._namespace(ref, resource), ref.name, subresource),
            query=query or {},
            what=f"{verb} {subresource + ' of ' if subresource else ''}{ref}",
            body=body,
            content_type=content_type,
        )

    def _namespace(self, ref: Ref, resource: Resource) -> str:
        return ref.namespace or (self.cluster.namespace if resource.namespaced else "")


async def _lines(response: Response, what: str) -> AsyncIterator[bytes]:
    """Whole lines only: what a connection broke off in the middle of comes again."""
    rest = bytearray()
    async for chunk in response.chunks():
        *lines, last = chunk.split(b"\n")
        for line in lines:
            whole = bytes(rest + line)
            rest.clear()
            if whole.strip():
                yield whole
        rest += last
        if len(rest) > _MAX_LINE:
            raise HttpFailure(f"{what}: an event is larger than {_MAX_LINE} bytes", temporary=False)


def _event(line: bytes, what: str) -> WatchEvent:
    try:
        event = json.loads(line)
        kind, held = event["type"], event["object"]
        if kind != _ERROR and held["metadata"]["resourceVersion"]:
            return WatchEvent(kind, held)
    except (ValueError, RecursionError, LookupError, TypeError) as error:
        raise HttpFailure(f"{what}: what came is no event", temporary=False) from error
    raise refusal(what, held)


def _selectors(labels: str, fields: str) -> dict[str, str]:
    named = {"labelSelector": labels, "fieldSelector": fields}
    return {key: text for key, text in named.items() if text}


def _unknown(api_version: str, kind: str, cluster: Cluster) -> Missing:
    hint = "what brings that kind is not installed there, or in another version"
    if api_version in _EVERYWHERE:
        hint = f"every Kubernetes API has that: {cluster.server} may be something else"
    return Missing(f"the cluster {cluster.name} has no {kind} of {api_version}", code=404, hint=hint)
