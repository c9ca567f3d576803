"""A node cache's part in its cluster: read which modules filters need, say which of them the node holds."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from weft.base.clock import Clock, SystemClock
from weft.clusters import MODULE_LABEL, node_report, wanted_images
from weft.errors import WeftError
from weft.kube import Kube, Reflector, find_cluster, open_kube
from weft.nodecache import Report, Wanted
from weft.oci import Reference
from weft.workflows.deploying.cluster import ClusterAccess

__all__ = ["Following", "following"]

_MANAGER = "weft-node-cache"
# What we said is said again now and then: somebody may have deleted it.
_AGAIN_SECONDS = 60.0
Say = Callable[[str], None]


class Following:
    """A cluster that is listened to."""

    def __init__(self, kube: Kube, namespace: str, node: str, say: Say, clock: Clock | None = None) -> None:
        self.wishes = Reflector(
            kube, "v1", "ConfigMap", namespace=namespace, labels=MODULE_LABEL, on_trouble=self.trouble
        )
        self._kube = kube
        self._namespace = namespace
        self._node = node
        self._say = say
        self._clock = clock or SystemClock()
        self._told: dict[str, Any] | None = None
        self._told_at = 0.0
        self._trouble = ""

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
async def following(access: ClusterAccess | None, node: str, say: Say) -> AsyncIterator[Following | None]:
    """The cluster that ``access`` means, for the node of that name; ``None`` where there is none."""
    if access is None:
        yield None
        return
    cluster = find_cluster(access.env, file=access.kubeconfig, context=access.context)
    async with open_kube(cluster, access.env) as kube:
        held = Following(kube, access.system, node, say)
        async with held.wishes.running():
            yield held
