"""Make one custom resource true: deploy what it asks for, or take it away, and say how that went."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

from weft.base.clock import Clock, SystemClock
from weft.clusters import Deployer, NotDistributed, Prospect, check_readers, look
from weft.errors import NotFound, WeftError
from weft.installing import granting
from weft.kube import Denied, Kube, Missing, Object, Ref
from weft.mesh import Facts, Intent, Kind, Workload, import_document, selected
from weft.operator.events import report_event
from weft.operator.keeping import FINALIZER, InResource
from weft.operator.outcome import Outcome, Stage
from weft.operator.staging import Rolled, Stager
from weft.operator.statuses import new_status, ready_condition

__all__ = ["Images", "Reconciler", "Unsigned"]


# What the operator may do only where it is granted, as paths have it.
_GRANTED = frozenset({"secrets", "configmaps"})


# Then the status says what is missing, and the next report of a node makes us look again.
_HOLD_SECONDS = 5.0


class Unsigned(WeftError):
    """An image without the signatures it needs."""


class Images(Protocol):
    """Where the operator gets modules from."""

    async def facts(self, kube: Kube, intent: Intent) -> Facts:
        """What there is to know of the intent's image, by its digest.

        Raises ``Unsigned`` when signatures are missing, ``WeftError`` when it cannot be had.
        """
        ...

    async def check(self, intent: Intent, facts: Facts) -> None:
        """Try the configs on the filter; raises ``WeftError`` with what it said."""
        ...

    async def credential(self, kube: Kube, intent: Intent) -> str:
        """What nodes show to get the image: docker's ``config.json``. Raises ``WeftError``."""
        ...


@dataclass(slots=True, kw_only=True)
class Reconciler:
    """What the operator does with one resource at a time."""

    kube: Kube
    images: Images
    system: str
    seconds: float = 300.0
    clock: Clock = field(default_factory=SystemClock)
    say: Callable[[str], None] = lambda _: None

    async def reconcile(self, kind: Kind, name: str, namespace: str) -> WeftError | None:
        """Make it so; gives what was in the way, which the status says too.

        Raises ``WeftError`` when even that could not be said.
        """
        ref = Ref(kind.api_version, kind.name, name, namespace)
        held = await self.kube.find(ref)
        if held is None:
            return None
        keeper = InResource(self.kube, ref)
        deployer = Deployer(
            kube=self.kube,
            system=self.system,
            owner=f"{kind.name}.{kind.group}",
            keeper=keeper,
            seconds=self.seconds,
            hold_seconds=_HOLD_SECONDS,
            back_out=False,
            clock=self.clock,
            say=lambda text: self.say(f"{ref}: {text}"),
        )
        if held["metadata"].get("deletionTimestamp"):
            return await self._remove(held, deployer, keeper)
        outcome = await self._bring(held, deployer)
        await self._tell(ref, held, outcome)
        return outcome.trouble

    async def refuse(self, held: Object, error: WeftError) -> None:
        """Say of a resource that nothing can be done for it now, and why."""
        generation = int(held["metadata"].get("generation") or 0)
        await self._tell(
            Ref.of(held), held, Outcome(generation=generation, stage=Stage.RESOLVED, error=error)
        )

    async def _bring(self, held: Object, deployer: Deployer) -> Outcome:
        generation = int(held["metadata"].get("generation") or 0)
        stage, image, workloads = Stage.COMPATIBLE, "", tuple[Workload, ...]()
        rolled: Rolled | None = None
        stale = ""
        try:
            intent = import_document(dict(held), where=str(Ref.of(held))).intent
            stage = Stage.RESOLVED
            known = await self.images.facts(self.kube, intent)
            image, stale, stage = str(known.image), known.stale, Stage.COMPATIBLE
            facts = await look(self.kube, intent, known)
            prospect = await deployer.prospect(intent, facts)
            workloads = _workloads(intent, facts, prospect)
            await self.images.check(intent, facts)
            stage = Stage.PROGRAMMED
            if prospect.needs_credential:
                credential = await self.images.credential(self.kube, intent)
                prospect = replace(prospect, credential=credential)
            if intent.spec.rollout is None:
                await deployer.deploy(prospect)
            else:
                stager = Stager(deployer=deployer, known=partial(self.images.facts, self.kube))
                rolled = await stager.roll(prospect, facts, held.get("status") or {})
            await check_readers(self.kube, prospect.after)
        except WeftError as error:
            if isinstance(error, Denied) and error.plural in _GRANTED:
                error.hint = f"let the operator: {granting(held['metadata']['namespace'], self.system)}"
            where = _stage_of(error) or stage
            return Outcome(generation=generation, stage=where, error=error, image=image, workloads=workloads)
        waiting = rolled.error if rolled else None
        return Outcome(
            generation=generation,
            stage=Stage.PROGRAMMED if waiting else None,
            error=waiting,
            image=image,
            workloads=workloads,
            stale=stale,
            rolled=rolled,
        )

    async def _remove(self, held: Object, deployer: Deployer, keeper: InResource) -> WeftError | None:
        ref = Ref.of(held)
        if FINALIZER not in (held["metadata"].get("finalizers") or ()):
            return None
        try:
            await deployer.undeploy(ref.name, ref.namespace)
        except NotFound:  # nothing was ever deployed
            await keeper.let_go()
        except WeftError as error:
            self.say(f"{ref}: cannot be removed: {error}")
            await report_event(self.kube, held, "Warning", "Remove", type(error).__name__, str(error))
            return error
        self.say(f"{ref}: removed")
        return None

    async def _tell(self, ref: Ref, held: Object, outcome: Outcome) -> None:
        before = held.get("status") or {}
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        status = new_status(held, outcome, now)
        if status == before:
            return
        try:
            await self.kube.merge(ref, {"status": status}, subresource="status")
        except Missing:  # deleted meanwhile
            return
        if ready_condition(before) != ready_condition(status):
            self.say(f"{ref}: {outcome.reason}: {outcome.message}")
            kind = "Normal" if outcome.trouble is None else "Warning"
            await report_event(self.kube, held, kind, "Deploy", outcome.reason, outcome.message)


def _stage_of(error: WeftError) -> Stage | None:
    if isinstance(error, Unsigned):
        return Stage.VERIFIED
    return Stage.DISTRIBUTED if isinstance(error, NotDistributed) else None


def _workloads(intent: Intent, facts: Facts, prospect: Prospect) -> tuple[Workload, ...]:
    mesh = prospect.plan.target.startswith("istio/") and not intent.spec.target_refs
    return (selected(intent, facts) or ()) if mesh else ()
