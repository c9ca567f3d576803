"""Deploy and undeploy one filter: plan, record, carry out, record."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from weft.base.clock import Clock, SystemClock
from weft.clusters.carrying import Carrier
from weft.clusters.nodes import Nodes
from weft.clusters.records import Record, Records, without_shared
from weft.errors import NotFound, UsageError, WeftError
from weft.kube import Kube
from weft.mesh import Facts, Intent, Plan, PlanRefused, Step, make_plan, transition

__all__ = ["Deployer", "Prospect"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """What deploying an intent would do."""

    intent: Intent
    plan: Plan
    steps: tuple[Step, ...]
    """In order; those that find all done do nothing."""
    before: Record | None
    after: Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployer:
    """Brings filters to a cluster and takes them away; ``system`` is the namespace of the node caches."""

    kube: Kube
    system: str = "weft-system"
    seconds: float = 300.0
    force: bool = False
    clock: Clock = field(default_factory=SystemClock)
    say: Callable[[str], None] = lambda _: None

    async def prospect(self, intent: Intent, facts: Facts) -> Prospect:
        """What must be done; ``facts`` are those of ``look``. Nothing is changed.

        Raises ``PlanRefused``, and ``UsageError`` when another filter has the same id.
        """
        try:
            plan = make_plan(intent, facts)
        except PlanRefused as error:
            named = f"filter {intent.metadata.name}: {error}"
            raise PlanRefused(named, reasons=error.reasons, hint=error.hint) from error
        records = await Records(self.kube).list(intent.metadata.namespace)
        before = next((one for one in records if one.name == intent.metadata.name), None)
        others = [one for one in records if one is not before]
        for other in others:
            if other.filter_id == plan.filter_id:
                raise UsageError(
                    f"filter {intent.metadata.name}: its id {plan.filter_id} is that of {other}",
                    hint="give it another id, or undeploy the other",
                )
        steps = transition(before.plan, plan, facts) if before else plan.steps
        after = Record.made(intent, plan, str(facts.image), plan.removal, settled=True)
        steps = without_shared(steps, others)
        return Prospect(intent=intent, plan=plan, steps=steps, before=before, after=after)

    async def deploy(self, prospect: Prospect) -> None:
        """Do it. Raises ``RolledBack`` when it could not be done, with what ran before running on."""
        records, before, after = Records(self.kube), prospect.before, prospect.after
        if before != after:
            await records.write(_between(before, after))
        try:
            await self._carrier(after).carry_out(prospect.steps)
        except WeftError:
            await (records.write(before) if before else records.forget(after))
            raise
        if before != after:
            await records.write(after)

    async def undeploy(self, name: str, namespace: str) -> Record:
        """Take away all that the filter called ``name``, or with that id, brought.

        Raises ``NotFound`` when weft knows of none, ``RolledBack`` when something stays.
        """
        records = Records(self.kube)
        known = await records.list(namespace)
        record = next((one for one in known if name in {one.name, one.filter_id}), None)
        if record is None:
            names = ", ".join(one.name for one in known) or "none"
            raise NotFound(f"no filter {name} in namespace {namespace}", hint=f"there is {names}")
        others = [one for one in known if one is not record]
        await self._carrier(record).carry_out(without_shared(record.removal, others))
        await records.forget(record)
        return record

    def _carrier(self, record: Record) -> Carrier:
        nodes = Nodes(self.kube, self.system, self.clock)
        name = f"{record.name}.{record.namespace}"
        return Carrier(
            kube=self.kube,
            nodes=nodes,
            name=name,
            seconds=self.seconds,
            force=self.force,
            clock=self.clock,
            say=self.say,
        )


def _between(before: Record | None, after: Record) -> Record:
    """While it is under way: with the removal of both, since parts of both may be there."""
    more = [step for step in (before.removal if before else ()) if step not in after.removal]
    return replace(after, removal=(*after.removal, *more), settled=False)
