"""Deploy and undeploy one filter: plan, record, carry out, record."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from weft.base.clock import Clock, SystemClock
from weft.clusters.carrying import STANDS, Carrier
from weft.clusters.nodes import Nodes
from weft.clusters.records import Keeper, Record, bare, read_records, without_shared
from weft.clusters.turns import Turn, TurnLost
from weft.errors import NotFound, UsageError, WeftError
from weft.kube import Kube
from weft.mesh import (
    Do,
    Facts,
    Intent,
    Plan,
    PlanRefused,
    Step,
    Workload,
    make_plan,
    object_name,
    transition,
)

__all__ = ["Deployer", "Leaving", "Prospect"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """What deploying an intent would do."""

    intent: Intent
    plan: Plan
    steps: tuple[Step, ...]
    """In order; those that find all done do nothing."""
    before: Record | None
    after: Record
    credential: str = field(default="", repr=False)
    """Docker's ``config.json`` with which nodes get the module; whoever deploys knows it."""

    @property
    def needs_credential(self) -> bool:
        """Whether nodes must get the module, from a registry that wants to know who they are."""
        return bool(self.intent.spec.pull_secret) and any(step.do is Do.HOLD for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """What undeploying a filter would do."""

    record: Record
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployer:
    """Brings filters to a cluster and takes them away; ``system`` is the namespace of the node caches.

    ``owner`` is who asks, as of ``Record``. With ``back_out`` a failure undoes what was done; without it
    stays, and the same again goes on from there.
    """

    kube: Kube
    system: str = "weft-system"
    owner: str = ""
    keeper: Keeper | None = None
    seconds: float = 300.0
    """For nodes to hold a file, and for pods to be replaced; each."""
    hold_seconds: float | None = None
    """For nodes, where that is less."""
    force: bool = False
    back_out: bool = True
    clock: Clock = field(default_factory=SystemClock)
    say: Callable[[str], None] = lambda _: None

    async def prospect(self, intent: Intent, facts: Facts) -> Prospect:
        """What must be done; ``facts`` are those of ``look``. Nothing is changed.

        Raises ``PlanRefused``, and ``UsageError`` when the filter, or its id, belongs to somebody else.
        """
        try:
            plan = make_plan(intent, facts)
        except PlanRefused as error:
            named = f"filter {intent.metadata.name}: {error}"
            raise PlanRefused(named, reasons=error.reasons, hint=error.hint) from error
        records = await read_records(self.kube, intent.metadata.namespace)
        before = next((one for one in records if self._is(one, intent.metadata.name)), None)
        others = [one for one in records if one is not before]
        self._check_others(intent, plan, others)
        after = Record(
            name=intent.metadata.name,
            namespace=intent.metadata.namespace,
            owner=self.owner,
            filter_id=plan.filter_id,
            target=plan.target,
            image=str(facts.image),
            removal=bare(plan.removal),
            control_plane=facts.control_plane,
            good=_good(intent, facts) if intent.spec.rollout else None,
        )
        steps = transition(before.plan, plan, facts) if before else plan.steps
        steps = without_shared(steps, others)
        return Prospect(intent=intent, plan=plan, steps=steps, before=before, after=after)

    def staged(self, prospect: Prospect, facts: Facts, workloads: tuple[Workload, ...]) -> Prospect:
        """``prospect`` for these workloads alone; all that others have stays. It takes ``back_out`` off.

        Raises ``PlanRefused`` where versions would run side by side in one proxy.
        """
        before, plan = prospect.before, prospect.plan
        if before is not None and _laid_out_otherwise(before, prospect):
            raise PlanRefused(
                f"filter {plan.filter_id}: spec.rollout: the version before is {before.target} as"
                f" {before.filter_id}, laid out otherwise; both would run side by side",
                hint="make this change without spec.rollout, and others step by step",
            )
        steps = make_plan(prospect.intent, replace(facts, workloads=workloads)).steps
        good = before.good if before else None
        after = replace(prospect.after.with_removal_of(before), good=good)
        return replace(prospect, steps=steps, after=after)

    async def deploy(self, prospect: Prospect) -> None:
        """Do it. Raises ``RolledBack`` when it could not be done, with what ran before running on.

        Raises ``Outrun`` when somebody else changes the filter, or has since it was looked at, and
        ``TurnLost`` when somebody else may act by now. Without ``back_out`` it raises what went wrong.
        """
        before, after, keeper = prospect.before, prospect.after, self._keeper()
        during = replace(after.with_removal_of(before), good=before.good if before else None)
        carrier = self._carrier(after, keeper, prospect.credential)
        async with _turn(keeper, carrier, before, during):
            try:
                await carrier.carry_out(prospect.steps)
            except (WeftError, asyncio.CancelledError):
                # Of what could not be undone the record must not be lost, nor what is said of it.
                if self.back_out and not carrier.stands:
                    with suppress(WeftError):
                        await (keeper.write(before) if before else keeper.forget(after))
                raise
            if during != after:
                await keeper.write(after)

    async def undeploy(self, name: str, namespace: str) -> Record:
        """Take away all that the filter called ``name``, or with that id, brought.

        Raises ``NotFound`` when weft knows of none, ``UsageError`` when it is somebody else's, ``RolledBack``
        when something stays, ``Outrun`` when somebody else changes it.
        """
        leaving, keeper = await self.leaving(name, namespace), self._keeper()
        carrier = self._carrier(leaving.record, keeper)
        async with _turn(keeper, carrier, leaving.record, leaving.record):
            await carrier.carry_out(leaving.steps)
            await keeper.forget(leaving.record)
        return leaving.record

    async def leaving(self, name: str, namespace: str) -> Leaving:
        """What that would do; raises as above. Nothing is changed."""
        known = await read_records(self.kube, namespace)
        named = [one for one in known if name in {one.name, one.filter_id}]
        record = next((one for one in named if one.owner == self.owner), None)
        if record is None and named:
            raise _others(named[0], named[0])
        if record is None:
            names = ", ".join(one.name for one in known) or "none"
            raise NotFound(f"no filter {name} in namespace {namespace}", hint=f"there is {names}")
        others = [one for one in known if one is not record]
        return Leaving(record=record, steps=without_shared(record.removal, others))

    def _is(self, record: Record, name: str) -> bool:
        return record.name == name and record.owner == self.owner

    def _check_others(self, intent: Intent, plan: Plan, others: list[Record]) -> None:
        for other in others:
            if other.name == intent.metadata.name:
                raise _others(other, f"filter {intent.metadata.namespace}/{intent.metadata.name}")
            if other.filter_id == plan.filter_id:
                raise UsageError(
                    f"filter {intent.metadata.name}: its id {plan.filter_id} is that of {other}",
                    hint="give it another id, or undeploy the other",
                )

    def _keeper(self) -> Keeper:
        return self.keeper or Turn(kube=self.kube, clock=self.clock, say=self.say)

    def _carrier(self, record: Record, keeper: Keeper, credential: str = "") -> Carrier:
        return Carrier(
            kube=self.kube,
            nodes=Nodes(self.kube, self.system, self.clock),
            name=f"{record.name}.{record.namespace}",
            seconds=self.seconds,
            hold_seconds=min(self.seconds, self.hold_seconds or self.seconds),
            credential=credential,
            force=self.force,
            back_out=self.back_out,
            guard=keeper.guard,
            clock=self.clock,
            say=self.say,
        )


@asynccontextmanager
async def _turn(
    keeper: Keeper, carrier: Carrier, before: Record | None, during: Record
) -> AsyncIterator[None]:
    """As ``Keeper.taken``; who loses the turn is told what ``carrier`` leaves."""
    try:
        async with keeper.taken(before, during):
            yield
    except TurnLost as error:
        raise TurnLost(f"{error}; {carrier.left or 'nothing was changed'}", hint=STANDS) from error


def _good(intent: Intent, facts: Facts) -> dict[str, Any]:
    """``intent`` as it can be deployed again, whatever its tag means then."""
    held = intent.document()
    metadata = {key: held["metadata"][key] for key in ("name", "namespace") if key in held["metadata"]}
    return {**held, "metadata": metadata, "spec": {**held["spec"], "image": str(facts.image)}}


def _laid_out_otherwise(before: Record, prospect: Prospect) -> bool:
    after, whole = prospect.after, object_name(prospect.intent.metadata.name)
    deletes = (step for step in before.removal if step.do is Do.DELETE)
    names = {step.object["metadata"]["name"] for step in deletes if step.object}
    return (before.target, before.filter_id) != (after.target, after.filter_id) or whole in names


def _others(record: Record, what: object) -> UsageError:
    if record.owner:
        hint = f"change or delete the {record.owner.partition('.')[0]} instead"
        return UsageError(f"{what} is of {record.owner} {record.namespace}/{record.name}", hint=hint)
    return UsageError(f"{what} was deployed by hand", hint=f"`weft undeploy {record.name}` first")
