"""``weft install``: make a cluster hold an installation."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from weft.base.clock import Clock, SystemClock
from weft.clusters import older_programs, wait_for_rollouts
from weft.errors import WeftError
from weft.installing import Installation, objects
from weft.kube import Kube, Object, Ref
from weft.workflows.installing.outcome import Outcome, Show, check_home, is_ours
from weft.workflows.installing.taken import MANAGER, check_conflicts, others_definitions

__all__ = ["Installer"]

_DEFINITION = "CustomResourceDefinition"
_WORKLOADS = frozenset({"Deployment", "DaemonSet"})
_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Installer:
    """Puts weft into a cluster; doing it again changes what differs, and nothing else."""

    kube: Kube
    show: Show
    say: Callable[[str], None]
    seconds: float = 300.0
    """For definitions to be served, and for pods to run; each."""
    force: bool = False
    """Take fields that others own."""
    clock: Clock = field(default_factory=SystemClock)

    async def install(self, installation: Installation, *, wait: bool = True) -> None:
        """Apply all in order, take away what is no longer wanted, and wait until the pods run.

        Raises ``UsageError`` when weft is in another namespace or a definition of others will not do,
        ``WeftError`` for fields that others own, before anything is changed; ``Denied``, and
        ``RolloutFailed`` naming what does not run.
        """
        await check_home(self.kube, installation.namespace)
        wanted = objects(installation)
        if not self.force:
            theirs = await others_definitions(self.kube, wanted, self.say)
            wanted = tuple(held for held in wanted if Ref.of(held) not in theirs)
            await check_conflicts(self.kube, wanted)
        for ref, why, command in await older_programs(self.kube):
            self.say(f"{ref} is there: {why}; take it away with: {command}")
        for held in wanted:
            if held["kind"] == "Namespace":
                await self._served(wanted)
                if not await self._may_have(Ref.of(held)):
                    continue
            await self._apply(held)
        await self._drop(installation, wanted)
        if wait:
            pods = [Ref.of(held) for held in wanted if held["kind"] in _WORKLOADS]
            await wait_for_rollouts(self.kube, pods, seconds=self.seconds, clock=self.clock, say=self.say)

    async def _apply(self, held: Object) -> None:
        ref = Ref.of(held)
        before = await self.kube.find(ref)
        after = await self.kube.apply(held, manager=MANAGER, force=self.force)
        if before is None:
            self.show(Outcome(ref, "made"))
        else:
            same = before["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"]
            self.show(Outcome(ref, "unchanged" if same else "changed"))

    async def _may_have(self, namespace: Ref) -> bool:
        """Whether the namespace is ours to label; one that somebody else made stays as it is."""
        held = await self.kube.find(namespace)
        if held is None or is_ours(held):
            return True
        self.say(f"{namespace} was there before and stays as it is")
        return False

    async def _served(self, wanted: Iterable[Object]) -> None:
        """Wait until the API serves the kinds of the definitions."""
        left = [Ref.of(held) for held in wanted if held["kind"] == _DEFINITION]
        end = self.clock.now() + self.seconds
        while left:
            states = {ref: _why_not_served(await self.kube.get(ref)) for ref in left}
            left = [ref for ref, why in states.items() if why]
            if left and self.clock.now() > end:
                named = "; ".join(f"{ref}: {states[ref]}" for ref in left)
                raise WeftError(f"not served after {self.seconds:g} s: {named}")
            if left:
                await self.clock.sleep(_POLL_SECONDS)

    async def _drop(self, installation: Installation, wanted: Iterable[Object]) -> None:
        """Delete what an earlier installation here had and this one has not."""
        kept = {Ref.of(held) for held in wanted}
        for held in reversed(objects(replace(installation, node_cache=True))):
            ref = Ref.of(held)
            if ref in kept:
                continue
            before = await self.kube.find(ref)
            if before is not None and is_ours(before):
                await self.kube.delete(ref)
                self.show(Outcome(ref, "deleted"))


def _why_not_served(definition: Object) -> str:
    """What the API says against a definition; empty when it serves it."""
    conditions = {one["type"]: one for one in definition.get("status", {}).get("conditions") or ()}
    if conditions.get("NamesAccepted", {}).get("status") == "False":
        return str(conditions["NamesAccepted"].get("message"))
    if conditions.get("Established", {}).get("status") != "True":
        return "not established yet"
    return ""
