"""The operator: what is asked for in a cluster is done there, and stays done.

It acts on how things are, never on what happened: a resource that changed, a workload that came or was
relabelled, an object of ours that somebody changed or deleted, all only make it look again. What it does not
hear of, such as a tag that moved or a secret that was rotated, it finds by looking now and then.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from weft.base.clock import SystemClock
from weft.base.tasks import beside, together
from weft.clusters import CACHE_PODS, NODE_LABEL, Nodes, NotDistributed
from weft.errors import WeftError
from weft.kube import CachedKube, Denied, Kube, Object, Ref, Reflector, WorkQueue
from weft.mesh import KINDS, Kind, Workload
from weft.operator.keeping import FINALIZER
from weft.operator.reconciler import Images, Reconciler
from weft.operator.slimming import slim, slim_workload

__all__ = ["Operator", "Settings"]

Key = tuple[Kind, str, str]
"""Kind, namespace and name of a custom resource."""
_WORKLOADS = ("Deployment", "DaemonSet", "StatefulSet")
_OURS = (
    ("networking.istio.io/v1alpha3", "EnvoyFilter"),
    ("extensions.istio.io/v1alpha1", "WasmPlugin"),
    ("extensions.istio.io/v1alpha1", "TrafficExtension"),
)
# While something may not be seen; nobody waits for it.
_DENIED_SECONDS = 1.0
_MANAGED = "app.kubernetes.io/managed-by=weft"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``again`` are the seconds until a resource is looked at though nothing happened."""

    system: str = "weft-system"
    workers: int = 16
    seconds: float = 300.0
    again: float = 60.0


@dataclass(slots=True)
class Counts:
    """What an operator counts."""

    reconciled: Counter[str] = field(default_factory=Counter)
    """``done`` or ``failed``."""
    states: dict[Key, bool] = field(default_factory=dict)
    """Whether each resource is as it asks."""


class Operator:
    """One cluster's. ``run`` it while nobody else does."""

    def __init__(self, kube: Kube, images: Images, settings: Settings, say: Callable[[str], None]) -> None:
        self.kube = CachedKube(kube)
        self.queue: WorkQueue[Key] = WorkQueue()
        self.counts = Counts()
        self.ready = False
        self._settings = settings
        self._say = say
        self._reconciler = Reconciler(
            kube=self.kube, images=images, system=settings.system, seconds=settings.seconds, say=say
        )
        self._resources = {kind: self._follow_resources(kind) for kind in KINDS}
        for workload in _WORKLOADS:
            self._follow("apps/v1", workload, on_change=self._workload_changed, keep=slim_workload)
        for api_version, ours in _OURS:
            self._follow(api_version, ours, on_change=self._ours_changed, labels=_MANAGED, keep=slim)
        config_maps: dict[str, Any] = {"namespace": settings.system, "labels": _MANAGED, "keep": slim}
        self._follow("v1", "ConfigMap", on_change=self._config_map_changed, **config_maps)
        self._follow("v1", "Pod", namespace=settings.system, labels=CACHE_PODS, keep=slim)
        self._seen: dict[Key, tuple[object, ...]] = {}
        self._working: dict[Key, asyncio.Task[WeftError | None]] = {}
        self._undistributed: set[Key] = set()
        self._trouble: set[str] = set()
        self._denied: WeftError | None = None

    async def run(self) -> None:
        """Work until cancelled."""
        async with beside(self._say_denied()) as saying, self.kube.following():
            saying.cancel()
            self.ready = True
            self._say(f"at work: {sum(map(len, self._resources.values()))} filters")
            async with together(self._sweep(), *(self._work() for _ in range(self._settings.workers))):
                await asyncio.Event().wait()

    async def _say_denied(self) -> None:
        """What we may not see keeps us from beginning: each resource says so, until we are cancelled."""
        told: set[Ref] = set()
        while True:
            await asyncio.sleep(_DENIED_SECONDS)
            for held in [held for kind in self._resources.values() for held in kind]:
                if self._denied is not None and Ref.of(held) not in told:
                    told.add(Ref.of(held))
                    await self._refuse(held, self._denied)

    async def _refuse(self, held: Object, error: WeftError) -> None:
        try:
            await self._reconciler.refuse(held, error)
        except WeftError as trouble:
            self._troubled(trouble)

    async def _work(self) -> None:
        while True:
            key = await self.queue.take()
            try:
                error = await self._look_at(key)
            except WeftError as failure:
                error = failure
                self._say(f"{key[0].name} {key[1]}/{key[2]}: {failure}")
            self._undistributed.discard(key)
            if isinstance(error, NotDistributed):
                self._undistributed.add(key)
            if error is None:
                self.counts.reconciled["done"] += 1
                self.queue.done(key)
                if key in self._seen:
                    self.queue.add_later(key, self._settings.again)
            else:
                self.counts.reconciled["failed"] += 1
                self.queue.failed(key, getattr(error, "wait", 0.0))
            if key in self._seen:
                self.counts.states[key] = error is None

    async def _sweep(self) -> None:
        """Forget reports of nodes that are gone; one whose node cache is only being replaced has time."""
        nodes, gone = Nodes(self.kube, self._settings.system, SystemClock()), frozenset[str]()
        while True:
            await asyncio.sleep(self._settings.again)
            try:
                before, gone = gone, await nodes.strangers()
                for node in sorted(before & gone):
                    await nodes.forget(node)
                    self._say(f"node {node} is gone, and so is its report")
            except WeftError as error:
                self._troubled(error)

    async def _look_at(self, key: Key) -> WeftError | None:
        """Reconcile; when the resource changes meanwhile, what is under way is given up for the new."""
        kind, namespace, name = key
        try:
            async with asyncio.TaskGroup() as tasks:
                task = tasks.create_task(self._reconciler.reconcile(kind, name, namespace))
                self._working[key] = task
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None
        finally:
            self._working.pop(key, None)
        return None if task.cancelled() else task.result()

    def _follow(self, api_version: str, kind: str, **words: Any) -> Reflector:
        return self.kube.follow(api_version, kind, on_trouble=self._troubled, **words)

    def _follow_resources(self, kind: Kind) -> Reflector:
        def changed(before: Object | None, now: Object | None) -> None:
            self._resource_changed(kind, before, now)

        return self._follow(kind.api_version, kind.name, on_change=changed, keep=slim)

    def _resource_changed(self, kind: Kind, before: Object | None, now: Object | None) -> None:
        metadata = (now or before or {})["metadata"]
        key = (kind, metadata["namespace"], metadata["name"])
        if now is None:
            self._seen.pop(key, None)
            self.counts.states.pop(key, None)
            return
        seen = (metadata.get("uid"), metadata.get("generation"), metadata.get("deletionTimestamp"))
        lost = FINALIZER not in (metadata.get("finalizers") or ()) and before is not None
        if self._seen.get(key) != seen or (lost and FINALIZER in _finalizers(before)):
            self._seen[key] = seen
            if (task := self._working.get(key)) is not None:
                task.cancel()
            self.queue.add(key)

    def _config_map_changed(self, _: Object | None, now: Object | None) -> None:
        """A node may hold now what filters wait for."""
        if NODE_LABEL in (now or {}).get("metadata", {}).get("labels", {}):
            for key in self._undistributed:
                self.queue.add(key)

    def _workload_changed(self, before: Object | None, now: Object | None) -> None:
        if before is None or now is None or Workload.of(before) != Workload.of(now):
            self._look_in((now or before or {})["metadata"]["namespace"])

    def _ours_changed(self, before: Object | None, now: Object | None) -> None:
        if _version(before) != _version(now):
            self._look_in((now or before or {})["metadata"]["namespace"])

    def _look_in(self, namespace: str) -> None:
        if not self.ready:
            return  # all are looked at in the beginning anyway
        for key in self._seen:
            if key[1] == namespace:
                self.queue.add(key)

    def _troubled(self, error: WeftError) -> None:
        if isinstance(error, Denied):
            self._denied = error
        if str(error) not in self._trouble:
            self._trouble.add(str(error))
            self._say(str(error))


def _finalizers(held: Object | None) -> list[str]:
    return list((held or {}).get("metadata", {}).get("finalizers") or ())


def _version(held: Object | None) -> str:
    return str((held or {}).get("metadata", {}).get("resourceVersion", ""))
