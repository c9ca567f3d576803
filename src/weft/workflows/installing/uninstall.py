"""``weft uninstall``: take an installation out of a cluster, filters first, and leave nothing.

Filters are taken away while the operator still runs, because only it can take back what it did for them. The
kinds and the namespace go last. What somebody else made is never deleted, whatever it is called.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from weft.base.clock import Clock, SystemClock
from weft.clusters import Deployer, Record, read_records
from weft.errors import WeftError
from weft.installing import OPERATOR, OURS, Installation, objects
from weft.kube import Kube, Object, Ref
from weft.mesh import KINDS, Kind
from weft.workflows.installing.outcome import Outcome, Show, check_home, is_ours

__all__ = ["FiltersLeft", "Uninstaller"]

_POLL_SECONDS = 0.5
_NAMED = 10
_LAST = ("Namespace", "CustomResourceDefinition")
# What runs in a namespace, and must not be deleted with it.
_TENANTS = (("apps/v1", "Deployment"), ("apps/v1", "DaemonSet"), ("apps/v1", "StatefulSet"))
_OURS = ",".join(f"{name}={value}" for name, value in OURS.items())
_MANAGED = "app.kubernetes.io/managed-by=weft"
_OUR_FINALIZERS = "weft.dev/"
_BINDING = ("rbac.authorization.k8s.io/v1", "RoleBinding")


class FiltersLeft(WeftError):
    """Filters are still deployed; without weft they could not be changed or taken away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uninstaller:
    """Takes weft out of a cluster."""

    kube: Kube
    show: Show
    say: Callable[[str], None]
    seconds: float = 300.0
    """For filters, and then for kinds and namespace, to go."""
    force: bool = False
    """Take filters away first."""
    clock: Clock = field(default_factory=SystemClock)

    async def uninstall(self, installation: Installation) -> None:
        """Raises ``FiltersLeft`` when filters are there or do not go, ``WeftError`` for other trouble."""
        await check_home(self.kube, installation.namespace)
        await self._filters(installation.namespace)
        held = [Ref.of(one) for one in reversed(objects(installation))]
        for ref in held:
            if ref.kind not in _LAST:
                await self._delete(ref)
        await self._traces(installation.namespace)
        last = [ref for ref in held if ref.kind in _LAST]
        if tenants := await self._tenants(installation.namespace):
            self.say(f"namespace {installation.namespace} stays, because of {_listed(tenants)}")
            last = [ref for ref in last if ref.kind != "Namespace"]
        await self._gone([ref for ref in last if await self._delete(ref)])

    async def _filters(self, namespace: str) -> None:
        resources, records = await self._left()
        if not (resources or records):
            return
        if not self.force:
            raise FiltersLeft(
                f"filters are still there: {_listed([*resources, *records])}",
                hint="take them away first (kubectl delete, weft undeploy), or let --force do it",
            )
        for ref in resources:
            await self._delete(ref)
        await self._until_gone(namespace)
        deployer = Deployer(
            kube=self.kube, system=namespace, seconds=self.seconds, clock=self.clock, say=self.say
        )
        for record in await read_records(self.kube):
            await deployer.undeploy(record.name, record.namespace)
            self.say(f"{record} undeployed")

    async def _left(self) -> tuple[list[Ref], tuple[Record, ...]]:
        """Custom resources of our kinds, and filters that were deployed without one."""
        resources = [ref for kind in KINDS for ref in await self._resources(kind)]
        records = await read_records(self.kube)
        return resources, tuple(one for one in records if not one.owner)

    async def _resources(self, kind: Kind) -> list[Ref]:
        """Those of ``kind``: all where its definition is ours and goes, else what the operator holds."""
        name = f"{kind.plural}.{kind.group}"
        definition = await self.kube.find(Ref("apiextensions.k8s.io/v1", "CustomResourceDefinition", name))
        if definition is None:
            return []
        held = (await self.kube.list(kind.api_version, kind.name)).items
        return [Ref.of(one) for one in held if is_ours(definition) or _held_by_us(one)]

    async def _until_gone(self, namespace: str) -> None:
        """Wait until the operator has let go of every custom resource."""
        end, told = self.clock.now() + self.seconds, 0
        while left := (await self._left())[0]:
            if len(left) != told:
                told = len(left)
                self.say(f"waiting for the operator to take away {told} filters")
            if self.clock.now() > end:
                raise FiltersLeft(
                    f"filters do not go: {_listed(left)}",
                    hint=f"does the operator run? kubectl -n {namespace} logs deployment/{OPERATOR}",
                )
            await self.clock.sleep(_POLL_SECONDS)

    async def _traces(self, namespace: str) -> None:
        """What has names that only the cluster knows: bindings elsewhere, what nodes were told, the lease."""
        bindings = await self.kube.list(*_BINDING, labels=_OURS)
        for one in bindings.items:
            if _bound_to(one, namespace):
                await self._delete(Ref.of(one))
        configs = await self.kube.list("v1", "ConfigMap", namespace=namespace, labels=_MANAGED)
        lease = Ref("coordination.k8s.io/v1", "Lease", OPERATOR, namespace)
        for ref in (lease, *map(Ref.of, configs.items)):
            if await self.kube.delete(ref):
                self.show(Outcome(ref, "deleted"))

    async def _delete(self, ref: Ref) -> bool:
        """Delete what is ours; gives whether it was there."""
        held = await self.kube.find(ref)
        if held is None:
            return False
        custom = (ref.api_version, ref.kind) in {(kind.api_version, kind.name) for kind in KINDS}
        if not custom and not is_ours(held):
            self.say(f"{ref} stays: it is not weft's")
            return False
        await self.kube.delete(ref)
        self.show(Outcome(ref, "deleted"))
        return True

    async def _tenants(self, namespace: str) -> list[Ref]:
        found = [
            held
            for api_version, kind in _TENANTS
            for held in (await self.kube.list(api_version, kind, namespace=namespace)).items
        ]
        return [Ref.of(held) for held in found if not is_ours(held)]

    async def _gone(self, refs: Iterable[Ref]) -> None:
        end, left = self.clock.now() + self.seconds, list(refs)
        while left := [ref for ref in left if await self.kube.find(ref) is not None]:
            if self.clock.now() > end:
                raise WeftError(f"still there after {self.seconds:g} s: {_listed(left)}")
            await self.clock.sleep(_POLL_SECONDS)


def _held_by_us(resource: Object) -> bool:
    return any(one.startswith(_OUR_FINALIZERS) for one in resource["metadata"].get("finalizers") or ())


def _bound_to(binding: Object, namespace: str) -> bool:
    return any(one.get("namespace") == namespace for one in binding.get("subjects") or ())


def _listed(things: Iterable[object]) -> str:
    names = [str(one) for one in things]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
