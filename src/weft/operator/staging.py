"""Bring a version to its workloads stage by stage, or take it back; see ``weft.operator.rolling``."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from weft.clusters import Deployer, Prospect, RolloutFailed, look, wait_for_rollouts
from weft.errors import NotFound, WeftError
from weft.kube import Ref
from weft.mesh import Do, Facts, Intent, RolloutStage, Workload, read_intent, selected, stages
from weft.operator.rolling import CalledOff, Progress, RollingOut, revision_of

__all__ = ["Rolled", "Stager"]

_APPS = "apps/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rolled:
    """How far it came, and what is to be said of it."""

    progress: Progress
    error: WeftError | None = None
    reached: tuple[Workload, ...] | None = None
    """The workloads that have the version; ``None``: all."""
    former: str = ""
    """The image that the others have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stager:
    """Rolls one filter out."""

    deployer: Deployer
    known: Callable[[Intent], Awaitable[Facts]]
    """What there is to know of an intent's image."""

    async def roll(self, prospect: Prospect, facts: Facts, status: dict[str, Any]) -> Rolled:
        """As far as it may come now. Raises ``WeftError`` where a stage could not be tried."""
        intent, rollout = prospect.intent, prospect.intent.spec.rollout
        assert rollout is not None  # noqa: S101 - what this is about
        progress = Progress.of(status, revision_of(intent, facts))
        if progress.called_off:
            return await self._back(prospect, progress)
        todo = stages(rollout, selected(intent, facts) or ())
        try:
            while not progress.done and progress.stage < len(todo):
                stage = todo[progress.stage]
                await self.deployer.deploy(self.deployer.staged(prospect, facts, stage.workloads))
                await self._ready(stage)
                before, progress = progress, progress.reached(stage, datetime.now(UTC))
                if progress.stage == before.stage:
                    return _held(progress, todo, facts, prospect)
            await self.deployer.deploy(prospect)
        except RolloutFailed as error:
            if progress.done:
                raise
            return await self._back(prospect, progress.off(error))
        return Rolled(progress=progress.finished())

    async def _ready(self, stage: RolloutStage) -> None:
        refs = [Ref(_APPS, one.kind, one.name, one.namespace) for one in stage.workloads]
        deployer = self.deployer
        await wait_for_rollouts(
            deployer.kube, refs, seconds=deployer.seconds, clock=deployer.clock, say=deployer.say
        )

    async def _back(self, prospect: Prospect, progress: Progress) -> Rolled:
        """What was everywhere before is everywhere again; without such a version nothing is left."""
        metadata = prospect.intent.metadata
        good = prospect.before.good if prospect.before else None
        former = str(good["spec"]["image"]) if good else ""
        if good is None:
            with suppress(NotFound):  # it is gone already
                await self.deployer.undeploy(metadata.name, metadata.namespace)
            what = "it is taken away, there was none before"
        else:
            intent = read_intent(good, where=f"the version before of {metadata.namespace}/{metadata.name}")
            facts = await look(self.deployer.kube, intent, await self.known(intent))
            back = await self.deployer.prospect(intent, facts)
            # All pods had that version and its folder; those of the new one may never get ready.
            steps = tuple(step for step in back.steps if step.do is not Do.SETTLE)
            await self.deployer.deploy(replace(back, steps=steps, credential=prospect.credential))
            what = f"{former} is back"
        error = CalledOff(f"{progress.message}; {what}", hint="change the intent to try again")
        return Rolled(progress=progress, error=error, reached=(), former=former)


def _held(progress: Progress, todo: tuple[RolloutStage, ...], facts: Facts, prospect: Prospect) -> Rolled:
    stage = todo[progress.stage]
    every = len(selected(prospect.intent, facts) or ())
    names = ", ".join(one.name for one in stage.workloads)
    error = RollingOut(
        f"stage {progress.stage + 1} of {len(todo)}: {len(stage.workloads)} of {every} workloads have it"
        f" since {progress.since}, for {stage.hold:g} s: {names}"
    )
    good = prospect.before.good if prospect.before else None
    former = good["spec"]["image"] if good else ""
    return Rolled(progress=progress, error=error, reached=stage.workloads, former=former)
