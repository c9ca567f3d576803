"""Carry out the steps of a plan in a cluster, and back out when one fails.

Steps of one kind that stand together are done at once. For each change the way back is kept: when a step
fails, all done so far is undone, last first, so that what ran before runs on. What could not be undone is
said.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from weft.base.clock import Clock, SystemClock
from weft.clusters.nodes import Nodes
from weft.clusters.rollouts import RolloutFailed, rollout_state, settling_state, wait_for_rollouts
from weft.clusters.seen import Seen
from weft.clusters.sharing import on_present
from weft.errors import WeftError
from weft.kube import Conflict, Kube, Missing, Object, Ref
from weft.mesh import Do, Step, Workload, entry_of, entry_patch, put_back, remount, unmounted

__all__ = ["STANDS", "Carrier", "RolledBack"]

MANAGER = "weft"
STANDS = "what stands is on record: do the same again, or `weft undeploy` it"
_AT_ONCE = 16
Undo = Callable[[], Awaitable[None]]
Work = Callable[[Step], Awaitable[Object | None]]
# What the API adds to an object and no one may send back.
_SERVERS = frozenset(
    {"uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink"}
)


class RolledBack(WeftError):
    """A step failed; the message says what stands now."""


@dataclass(slots=True, kw_only=True)
class Carrier:
    """Does the steps of one filter, called ``name`` where nodes are concerned."""

    kube: Kube
    nodes: Nodes
    name: str
    seconds: float = 300.0
    """For pods to be replaced."""
    hold_seconds: float = 300.0
    """For nodes to hold a file."""
    credential: str = field(default="", repr=False)
    """Docker's ``config.json`` with which nodes get the module."""
    force: bool = False
    """Take fields that others own."""
    back_out: bool = True
    guard: Callable[[], None] = lambda: None
    """Raises when somebody else may act by now: then nothing more is done, nor undone."""
    clock: Clock = field(default_factory=SystemClock)
    say: Callable[[str], None] = lambda _: None
    stands: list[str] = field(default_factory=list)
    """What could not be undone, of what was done."""
    _undos: list[tuple[str, Undo]] = field(default_factory=list)
    _seen: Seen = field(init=False)
    _limit: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    def __post_init__(self) -> None:
        """Nothing was looked at yet."""
        self._seen = Seen(self.kube)

    async def carry_out(self, steps: Iterable[Step]) -> None:
        """Do all, in order. Raises ``RolledBack`` when one fails, having undone the others.

        Who is stopped meanwhile undoes them, too, unless stopped again. Without ``back_out`` it raises what
        went wrong, and what was done stays.
        """
        self._undos.clear()
        self.stands.clear()
        try:
            for do, group in groupby(steps, key=lambda step: step.do):
                await self._together(do, list(group))
        except WeftError as error:
            if not self.back_out:
                raise
            self.guard()
            after = await self._undo_all()
            hint = STANDS if self.stands else error.hint
            raise RolledBack(f"{error}; {after}", hint=hint, detail=error.detail) from error
        except asyncio.CancelledError:
            if self.back_out and self._may_act():
                self.say("stopped: what was done is being undone; stop again to leave it as it is")
                self.say(await self._undo_all())
            raise

    async def _together(self, do: Do, steps: list[Step]) -> None:
        work: dict[Do, Work] = {
            Do.HOLD: self._hold,
            Do.MOUNT: self._mount,
            Do.APPLY: self._apply,
            Do.UNMOUNT: self._unmount,
            Do.SETTLE: self._settle,
            Do.INSERT: self._insert,
            Do.EXTRACT: self._extract,
            Do.DELETE: self._delete,
            Do.RELEASE: self._release,
        }
        await self._seen.look(Ref.of(step.object) for step in steps if step.object)
        results = await asyncio.gather(*(self._one(work[do], step) for step in steps), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        if do in {Do.MOUNT, Do.UNMOUNT, Do.SETTLE}:
            await self._wait_for_pods([Ref.of(held) for held in results if isinstance(held, Mapping)], do)

    async def _wait_for_pods(self, refs: list[Ref], do: Do) -> None:
        state_of = settling_state if do is Do.SETTLE else rollout_state
        try:
            await wait_for_rollouts(
                self.kube, refs, seconds=self.seconds, clock=self.clock, say=self.say, state_of=state_of
            )
        except RolloutFailed as error:
            if do is not Do.UNMOUNT:
                raise
            # No filter needs what is gone; what ails these pods is something else.
            self.say(f"{error}; the filter is gone from them")

    async def _one(self, work: Work, step: Step) -> Object | None:
        async with self._limit:
            self.guard()
            return await work(step)

    def _may_act(self) -> bool:
        try:
            self.guard()
        except WeftError:
            return False
        return True

    async def _hold(self, step: Step) -> None:
        assert step.file is not None  # noqa: S101 - what the step is about
        file = step.file
        undo = (f"nodes still hold {file.image}", lambda: self.nodes.release(self.name, file))
        await self.nodes.want(self.name, file, self.credential, begin=lambda: self._undos.append(undo))
        await self.nodes.wait(file, seconds=self.hold_seconds, say=self.say)

    async def _release(self, step: Step) -> None:
        assert step.file is not None  # noqa: S101 - what the step is about
        await self.nodes.release(self.name, step.file)

    async def _settle(self, step: Step) -> Object | None:
        return step.object

    async def _mount(self, step: Step) -> Object | None:
        """Gives the workload: somebody else may have mounted it, and its pods not be ready yet."""
        await self._annotate(step, lambda workload: remount(workload, step))
        return step.object

    async def _unmount(self, step: Step) -> Object | None:
        return await self._annotate(step, lambda workload: unmounted(workload, step.volume))

    async def _annotate(self, step: Step, change: Callable[[Workload], dict[str, str]]) -> Object | None:
        """Judged on the workload as it is now: others may have changed it since the plan.

        Gives what was written, if anything.
        """
        ref = Ref.of(step.object or {})

        async def write(held: Object) -> Object | None:
            workload = Workload.of(held)
            annotations = change(workload)
            if annotations == remount(workload, Step(do=Do.MOUNT, why="")):
                return None
            self._undoing(
                f"{ref} keeps a changed mount of {step.volume}",
                lambda: self._annotate_back(ref, lambda now: put_back(now, workload, step.volume)),
            )
            after = await self._put_annotations(held, annotations)
            self.say(f"{step.do} on {ref}: its pods restart")
            return after

        return await on_present(self.kube, ref, write, self.clock, first=self._seen.find)

    async def _annotate_back(self, ref: Ref, change: Callable[[Workload], dict[str, str]]) -> None:
        async def write(held: Object) -> None:
            await self._put_annotations(held, change(Workload.of(held)))

        await on_present(self.kube, ref, write, self.clock)

    async def _put_annotations(self, held: Object, annotations: dict[str, str]) -> Object:
        ref, version = Ref.of(held), {"resourceVersion": held["metadata"]["resourceVersion"]}
        before = remount(Workload.of(held), Step(do=Do.MOUNT, why=""))
        gone: dict[str, Any] = dict.fromkeys(before.keys() - annotations)
        if gone:  # by whoever wrote them: applying takes away only what we applied
            template = {"metadata": {"annotations": {**annotations, **gone}}}
            return await self.kube.merge(ref, {"metadata": version, "spec": {"template": template}})
        template = {"metadata": {"annotations": annotations}} if annotations else {}
        patch = _named(ref, spec={"template": template})
        patch["metadata"] |= version
        # Entries of others are kept in the text, so nothing of theirs is taken.
        return await self.kube.apply(patch, manager=MANAGER, force=True)

    async def _insert(self, step: Step) -> None:
        ref = Ref.of(step.object or {})
        if not await self._enter(ref, step.entry, entry_of(step.object or {}, step.entry)):
            raise Missing(f"{ref} is not there any more", code=404)

    async def _extract(self, step: Step) -> None:
        await self._enter(Ref.of(step.object or {}), step.entry, None)

    async def _enter(self, ref: Ref, name: str, entry: Object | None) -> bool:
        """Have ``entry``, or nothing, as ``name`` in the object's list; gives whether the object is there."""

        async def write(held: Object) -> bool:
            patch, before = entry_patch(held, name, entry), entry_of(held, name)
            if patch is not None:
                self._undoing(f"{ref} has another entry {name}", lambda: self._enter_back(ref, name, before))
                await self.kube.merge(ref, patch, strict=True)
                self.say(f"{ref}: {name} {'put in' if entry else 'taken out'}")
            return True

        return bool(await on_present(self.kube, ref, write, self.clock, first=self._seen.find))

    async def _enter_back(self, ref: Ref, name: str, entry: Object | None) -> None:
        async def write(held: Object) -> None:
            if (patch := entry_patch(held, name, entry)) is not None:
                await self.kube.merge(ref, patch)

        await on_present(self.kube, ref, write, self.clock)

    def _undoing(self, what: str, undo: Undo) -> None:
        """The way back of what is done now; of the same thing only the last one counts."""
        self._undos[:] = [one for one in self._undos if one[0] != what] + [(what, undo)]

    async def _apply(self, step: Step) -> None:
        wanted = step.object or {}
        ref = Ref.of(wanted)
        before = await self._seen.find(ref)
        if before is not None and _ours(before) == _ours(wanted):
            return None
        if before is None:
            undo = (f"{ref} is still there", lambda: self._remove(ref))
        else:
            back = _content(before)
            undo = (f"{ref} is changed", lambda: self._put_back(back))
        self._undos.append(undo)
        try:
            change = self._seen.as_seen(wanted, before)
            after = await self.kube.apply(change, manager=MANAGER, force=self.force)
        except Conflict as error:
            if self._seen.is_old(ref):
                self._undos.remove(undo)
                return await self._apply(step)
            error.hint = "let go of it there, or take it with --force-conflicts"
            raise
        if before is None or before["metadata"]["resourceVersion"] != after["metadata"]["resourceVersion"]:
            self.say(f"{ref} {'changed' if before else 'made'}")
        return None

    async def _delete(self, step: Step) -> None:
        ref = Ref.of(step.object or {})
        before = await self._seen.find(ref)
        if before is None:
            return
        back = _content(before)
        self._undos.append((f"{ref} is gone", lambda: self._put_back(back)))
        await self._remove(ref)
        self.say(f"{ref} deleted")

    async def _remove(self, ref: Ref) -> None:
        await self.kube.delete(ref)

    async def _put_back(self, content: Object) -> None:
        await self.kube.apply(content, manager=MANAGER, force=True)

    async def _undo_all(self) -> str:
        """Gives what stands then, for people."""
        done = "all that was done is undone" if self._undos else "nothing was changed"
        while self._undos:
            what, undo = self._undos[-1]
            try:
                await undo()
            except WeftError as trouble:
                self.stands.append(f"{what} ({trouble})")
            self._undos.pop()
        return self.left or done

    @property
    def left(self) -> str:
        """What was done and is not undone, for people; empty where there is nothing."""
        left = [*self.stands, *(what for what, _ in reversed(self._undos))]
        return f"what stands: {'; '.join(left)}" if left else ""


def _named(ref: Ref, **fields: Any) -> dict[str, Any]:
    metadata = {"name": ref.name, "namespace": ref.namespace}
    return {"apiVersion": ref.api_version, "kind": ref.kind, "metadata": metadata, **fields}


def _content(held: Object) -> dict[str, Any]:
    """An object as it could be applied again."""
    metadata = {key: value for key, value in held["metadata"].items() if key not in _SERVERS}
    return {key: value for key, value in held.items() if key != "status"} | {"metadata": metadata}


def _ours(held: Object) -> Any:
    """What an object says, without what the API adds."""
    metadata = held.get("metadata") or {}
    marks = {key: metadata.get(key) or {} for key in ("labels", "annotations")}
    return {key: value for key, value in held.items() if key not in {"metadata", "status"}} | marks
