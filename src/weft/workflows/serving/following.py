"""A node cache's part in its cluster: read which modules filters need, say which of them the node holds.

What registries want to be shown comes from the Secret ``weft-registries``, as soon as it changes.
"""

import base64
import binascii
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from weft.base.clock import Clock, SystemClock
from weft.base.tasks import together
from weft.clusters import MODULE_LABEL, REGISTRIES, node_report, wanted_images
from weft.errors import WeftError
from weft.kube import Kube, Object, Ref, Reflector, find_cluster, open_kube
from weft.nodecache import Report, Wanted
from weft.oci import Reference
from weft.registry import CredentialFile
from weft.workflows.deploying.cluster import ClusterAccess

__all__ = ["Following", "following"]

_MANAGER = "weft-node-cache"
# What we said is said again now and then: somebody may have deleted it.
_AGAIN_SECONDS = 60.0
# The key for credentials that people give to every node cache.
_PEOPLE = "config.json"
Say = Callable[[str], None]
Hand = Callable[[tuple[CredentialFile, ...]], None]


class Following:
    """A cluster that is listened to."""

    def __init__(
        self, kube: Kube, namespace: str, node: str, say: Say, hand: Hand, clock: Clock | None = None
    ) -> None:
        where: dict[str, Any] = {"namespace": namespace, "on_trouble": self.trouble}
        self.wishes = Reflector(kube, "v1", "ConfigMap", labels=MODULE_LABEL, **where)
        self.registries = Reflector(
            kube, "v1", "Secret", fields=f"metadata.name={REGISTRIES}", on_change=self._handed, **where
        )
        self._hand = hand
        self._kube = kube
        self._namespace = namespace
        self._node = node
        self._say = say
        self._clock = clock or SystemClock()
        self._told: dict[str, Any] | None = None
        self._told_at = 0.0
        self._trouble = ""

    def _handed(self, before: Object | None, now: Object | None) -> None:
        if (before or {}).get("data") == (now or {}).get("data"):
            return
        files = []
        # What filters brought is for one repository each, and comes before what people wrote for a host.
        for key, text in sorted(((now or {}).get("data") or {}).items(), key=lambda one: one[0] == _PEOPLE):
            where = f"key {key!r} of {Ref('v1', 'Secret', REGISTRIES, self._namespace)}"
            try:
                files.append(CredentialFile.parse(base64.b64decode(text, validate=True), where=where))
            except binascii.Error:
                self._say(f"{where} is not base64")
            except WeftError as error:
                self._say(str(error))
        self._hand(tuple(files))

    def added_to(self, wanted: Wanted) -> Wanted:
        """``wanted`` with what filters need. Until that is known once, nothing is unwanted."""
        if not self.wishes.synced.is_set():
            return replace(wanted, problems=(*wanted.problems, "what the cluster wants is not known yet"))
        references, problems = dict.fromkeys(wanted.references), list(wanted.problems)
        for image in wanted_images(tuple(self.wishes)):
            try:
                references[Reference.parse(image)] = None
            except WeftError as error:
                problems.append(f"a ConfigMap in {self._namespace} wants {image!r}: {error}")
        return Wanted(tuple(references), tuple(problems))

    async def tell(self, report: Report) -> None:
        """Say what the node holds, where it is news; trouble with that is told, and tried again."""
        document, now = report.document(), self._clock.now()
        if document == self._told and now - self._told_at < _AGAIN_SECONDS:
            return
        try:
            held = node_report(self._node, self._namespace, document)
            await self._kube.apply(held, manager=_MANAGER, force=True)
        except WeftError as error:
            self.trouble(error)
            return
        self._told, self._told_at, self._trouble = document, now, ""

    def trouble(self, error: WeftError) -> None:
        """Say what is wrong, once."""
        if str(error) != self._trouble:
            self._trouble = str(error)
            self._say(self._trouble)


@asynccontextmanager
async def following(
    access: ClusterAccess | None, node: str, say: Say, hand: Hand
) -> AsyncIterator[Following | None]:
    """The cluster that ``access`` means, for the node of that name; ``None`` where there is none.

    ``hand`` is given the credentials of the cluster, again each time they change.
    """
    if access is None:
        yield None
        return
    cluster = find_cluster(access.env, file=access.kubeconfig, context=access.context)
    async with open_kube(cluster, access.env) as kube:
        held = Following(kube, access.system, node, say, hand)
        async with together(held.wishes.run(), held.registries.run()):
            yield held
